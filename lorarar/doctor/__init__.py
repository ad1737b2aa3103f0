"""What this installation and this machine have, and what mends what is lacking: ``lorarar doctor``."""
