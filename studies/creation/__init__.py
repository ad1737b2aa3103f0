"""The making of a study: its pictures are sampled from the database, checked, and frozen with words and design."""
