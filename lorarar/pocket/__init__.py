"""Pocket: a tiny SDXL family, its data and the recipe that makes it."""
