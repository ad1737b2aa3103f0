"""The terminal app: browse merges as pictures, vote in studies. The edge: nothing but the command line knows it."""
