"""Families at fault: one named like ours, one whose places lead nowhere."""

from lorarar.families import Family, Modules

MODULES = Modules(denoiser="unet", text_encoders=())
LIKE_OURS = Family("pocket", "nowhere:base", "nowhere:Pipeline", MODULES)
NOWHERE = Family("nowhere", "nowhere:base", "nowhere:Pipeline", MODULES)
