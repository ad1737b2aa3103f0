"""How each kind of denoiser is used: one row a class, so that all else knows latents (N, C, h, w) alone."""
