"""A study as ONE page that votes without a server: pictures, words, styles and scripts in a single file.

It holds what a packet holds and the worked example, so no method, subject, style or study by name. Its policy allows
its own script and style, by their digests, and pictures from within; nothing else is run, loaded or sent. What a
study says stands in it as data, in which no ``<`` is left to end a script.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from lorarar.util.files import replacing
from studies.errors import PacketError
from studies.page.scripts import FOLDER, joined_scripts
from studies.rater.design import Design
from studies.rater.example import practice
from studies.rater.names import CODE_LENGTH, LETTERS, SIMULATED
from studies.rater.patterns import CODE
from studies.rater.session import introduction_of
from studies.rater.votes import MOST_VOTES

LARGEST = 256 * 2**20  # bytes of all pictures; phones open no larger page
_STYLE = '<link rel="stylesheet" href="/page/page.css">'
_SCRIPT = '<script type="module" src="/page/served_page.js"></script>'


def write_page(design: Design, pictures: Mapping[str, bytes], path: Path) -> Path:
    """Write the page; equal studies are equal bytes, and the file appears whole or not at all.

    Args:
        design: what raters see.
        pictures: PNG bytes by digest.
        path: where the page goes.

    Raises:
        PacketError: it cannot be written, or is too large for browsers.
    """
    size = sum(len(pictures[digest]) for digest in design.pictures)
    if size > LARGEST:
        raise PacketError(
            f"the pictures have {size >> 20} MiB, and a page that browsers open at most {LARGEST >> 20}; "
            "write a packet, NAME.zip, or let raters vote by 'lorarar study serve'"
        )
    try:
        with replacing(path) as partial, partial.open("w", encoding="utf-8") as file:
            file.writelines(_parts(design, pictures))
    except OSError as error:
        raise PacketError(f"cannot write {path}: {error.strerror or error}") from None
    return path


def _parts(design: Design, pictures: Mapping[str, bytes]) -> Iterator[str]:
    """The text of the page, piece by piece."""
    page = (FOLDER / "index.html").read_text("utf-8")
    style = (FOLDER / "page.css").read_text("utf-8")
    script = joined_scripts("offline_page.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_source(script)}'",
            f"style-src '{_source(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    meta = f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">'
    head, tail = page.replace('<meta charset="utf-8">', meta).replace(_STYLE, f"<style>{style}</style>").split(_SCRIPT)
    yield head
    yield _data("study", json.dumps(_facts(design)).replace("<", "\\u003c"))
    for digest in design.pictures:
        yield _data(f"picture-{digest}", _text(pictures[digest]))
    yield f'<script type="module">{script}</script>'
    yield tail


def _facts(design: Design) -> dict[str, Any]:
    """What the scripts know of a study, as JSON values."""
    words, right = introduction_of(design), practice(design.kind)
    example, items = words.example, design.record()["items"]
    return {
        "design": {"kind": design.kind, "digest": design.digest, "repeats": design.repeats, "items": items},
        "introduction": {
            "consent": words.consent,
            "instruction": words.instruction,
            "answers": words.answers,
            "labels": words.labels,
            "example": {
                "subject": _address(example.subject),
                "style": _address(example.style),
                "options": [_address(png) for png in example.options],
                "answer": example.answer,
                "reason": example.reason,
            },
        },
        "practice": {"answer": right.answer, "reason": right.reason},
        "codes": {"letters": LETTERS, "length": CODE_LENGTH, "pattern": CODE, "simulated": SIMULATED},
        "most_votes": MOST_VOTES,
    }


def _data(name: str, text: str) -> str:
    """A block of data that no browser runs."""
    return f'<script type="application/octet-stream" id="{name}">{text}</script>\n'


def _source(text: str) -> str:
    """A script or style as a policy names it."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _text(png: bytes) -> str:
    return b64encode(png).decode()


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{_text(png)}"
