"""Rare words, as DreamBooth chooses its tokens: by their place in CLIP's vocabulary, which has often used words first.

``sks`` and ``ohwx`` are among its last, ``zwx`` is none of its words; ``red`` is the 225th.
"""

from __future__ import annotations

from functools import lru_cache


def is_rare(word: str) -> bool:
    """Whether a word is no word of CLIP's, or one of the rarer half of them."""
    return word.lower() not in _ordinary()


@lru_cache(maxsize=1)
def _ordinary() -> frozenset[str]:
    """The words of the first half of CLIP's vocabulary, some 16,500."""
    from lorarar.families.clip import merges  # a tenth of a second, where a prompt has no "sks"

    pairs = merges()
    return frozenset(
        f"{one}{two}".removesuffix("</w>") for one, two in pairs[: len(pairs) // 2] if two.endswith("</w>")
    )
