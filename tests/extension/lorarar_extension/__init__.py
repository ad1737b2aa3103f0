"""A small package that gives lorarar one thing of each kind; nothing of it is installed, it is put on the path."""
