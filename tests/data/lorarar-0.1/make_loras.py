"""``make_loras.py WEIGHTS FOLDER``: four of Pocket's LoRAs, cut to rank 1, with three pictures each."""

import shutil
import sys
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

NAMES = {"contents": ("teapot", "cat-2"), "styles": ("glowing", "flat-cartoon-illustration-2")}


def cut(a, b):
    """The factors of rank 1 that are nearest to B A."""
    u, s, v = np.linalg.svd(b.astype(np.float32) @ a.astype(np.float32), full_matrices=False)
    root = np.sqrt(s[:1])
    return (root[:, None] * v[:1]).astype(np.float16), np.ascontiguousarray(u[:, :1] * root).astype(np.float16)


weights, folder = map(Path, sys.argv[1:])
for side, names in NAMES.items():
    for name in names:
        (folder / side / name).mkdir(parents=True)
        for picture in sorted((weights / side / name).glob("*.png"))[:3]:
            shutil.copyfile(picture, folder / side / name / picture.name)
        with safe_open(weights / side / f"{name}.safetensors", "np") as file:
            tensors = {}
            for key in file.keys():
                if "lora_A" in key:
                    other = key.replace("lora_A", "lora_B")
                    tensors[key], tensors[other] = cut(file.get_tensor(key), file.get_tensor(other))
            save_file(tensors, folder / side / f"{name}.safetensors", file.metadata())
