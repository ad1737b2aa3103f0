"""Statistics that more than one room needs, each written once: pure functions of arrays, no database, no model."""
