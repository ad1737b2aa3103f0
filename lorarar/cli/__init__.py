"""The command line: one file per command; each loads its libraries only when it runs."""
