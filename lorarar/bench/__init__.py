"""Grids: the pictures of methods x contents x styles x seeds, as a plan says, resumable at any moment."""
