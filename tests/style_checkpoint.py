"""CSD as its authors have it, small and random: OpenAI's vision transformer by its own names, and two heads."""

import torch
from torch import nn
from torch.nn.functional import normalize

WIDTH, PATCH, SIDE, LAYERS, STYLES = 128, 56, 224, 2, 24  # two attention heads, 16 patches


class QuickGelu(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.MultiheadAttention(WIDTH, WIDTH // 64, batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(WIDTH, 4 * WIDTH))
        self.mlp.add_module("gelu", QuickGelu())
        self.mlp.add_module("c_proj", nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        seen = self.ln_1(x)
        x = x + self.attn(seen, seen, seen, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, PATCH, PATCH, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(WIDTH))
        self.positional_embedding = nn.Parameter(torch.randn((SIDE // PATCH) ** 2 + 1, WIDTH))
        self.ln_pre, self.ln_post = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.Sequential(*(Block() for _ in range(LAYERS)))

    def forward(self, pixels):
        patches = self.conv1(pixels).flatten(2).transpose(1, 2)
        start = self.class_embedding.expand(len(pixels), 1, WIDTH)
        x = self.ln_pre(torch.cat([start, patches], 1) + self.positional_embedding)
        return self.ln_post(self.transformer.resblocks(x)[:, 0])


class StyleDescriptor(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Tower()
        self.last_layer_style = nn.Parameter(torch.randn(WIDTH, STYLES))
        self.last_layer_content = nn.Parameter(torch.randn(WIDTH, STYLES))

    def forward(self, pixels):
        return normalize(self.backbone(pixels) @ self.last_layer_style, dim=1)


def new_descriptor():
    """A random descriptor, none of whose weights is at its start."""
    torch.manual_seed(0)
    model = StyleDescriptor().eval()
    for weight in model.parameters():
        weight.data += 0.1 * torch.randn_like(weight)
    return model
