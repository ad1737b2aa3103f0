"""Voting in a browser: textual-serve behind tokens, one origin and, unless asked otherwise, this machine alone."""
