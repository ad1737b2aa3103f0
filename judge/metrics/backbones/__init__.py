"""The models that metrics measure by, a file each: how a picture, or a text, becomes a vector."""
