"""Grids: methods x contents x styles x seeds, drawn from a plan, resumable at any moment."""
