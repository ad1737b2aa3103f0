"""Pocket's critic, CLIP and DINO: their pictures, their recipe, their weights."""
