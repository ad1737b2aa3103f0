"""The diffusion base: loading it, its latents, gating its layers, and generating pictures with it."""
