"""The studies on the command line, one file per command; the edge."""
