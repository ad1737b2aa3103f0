"""A layout named like ours."""

from lorarar.lora.layouts import Layout

LIKE_OURS = Layout("kohya", "a thief", tensors=dict)
