"""The judge on the command line, one file per command; the edge."""
