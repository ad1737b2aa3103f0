"""The judge: MARS2 by a multimodal critic, with CLIP-I, CLIP-T and DINO beside it."""
