"""A package whose every row is at fault in its own way."""
