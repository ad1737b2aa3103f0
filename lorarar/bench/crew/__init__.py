"""A grid that is computed by workers: what travels to them and back, and what is made of it here."""
