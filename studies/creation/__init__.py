"""How a study is made: pictures sampled from the database, checked, and frozen with their words and design."""
