"""Workers: processes on this machine or a cluster that do a command's heavy work; it alone writes the database."""
