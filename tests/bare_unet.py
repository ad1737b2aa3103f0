"""A few layers under SDXL's names, which PEFT adapts in no time."""

import torch
from torch import nn

BLOCK = "down_blocks.1.attentions.0.transformer_blocks.0"


def bare_unet():
    """A module of six layers, the same at every call."""
    torch.manual_seed(0)
    root = nn.Module()
    layers = {
        f"{BLOCK}.attn1.to_q": nn.Linear(24, 16, bias=False),
        f"{BLOCK}.attn1.to_k": nn.Linear(24, 16, bias=False),
        f"{BLOCK}.ff.net.2": nn.Linear(32, 16),
        "down_blocks.1.resnets.0.conv1": nn.Conv2d(8, 16, 3, padding=1),
        "down_blocks.1.resnets.0.conv_shortcut": nn.Conv2d(8, 16, 1),
        "mid_block.attentions.0.transformer_blocks.0.attn1.to_k": nn.Linear(16, 16, bias=False),
    }
    for name, layer in layers.items():
        parent = root
        *path, last = name.split(".")
        for part in path:
            if not hasattr(parent, part):
                parent.add_module(part, nn.Module())
            parent = getattr(parent, part)
        parent.add_module(last, layer)
    return root
