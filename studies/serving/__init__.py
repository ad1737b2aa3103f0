"""Voting in a browser: a page behind tokens, one origin and, unless asked otherwise, this machine alone."""
