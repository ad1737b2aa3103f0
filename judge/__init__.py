"""The judge: MARS2 by a multimodal critic, with CLIP-I, CLIP-T and DINO beside it."""

from lorarar.util.moved import find_moved_modules

find_moved_modules()
