"""How each kind of autoencoder makes latents of pictures and pictures of latents: one row a class."""
