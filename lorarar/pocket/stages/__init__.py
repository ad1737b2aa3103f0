"""The stages of Pocket's recipe, one file each."""
