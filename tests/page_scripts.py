"""Runs modules of the voting page outside it: by node where there is one, else in Chromium."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from studies.page.scripts import joined_scripts

from .browser import CHROMIUM, chromium

NODE = shutil.which("node")
needs_javascript = pytest.mark.skipif(NODE is None and CHROMIUM is None, reason="neither node nor Chromium here")


def run_module(module: str, body: str, folder: Path) -> Any:
    """What the body of an asynchronous function returns that may use all names of a module of the page."""
    program = f"{joined_scripts(module)}\nconst run = async () => {{ {body} }};\n"
    if NODE is not None:
        text = program + "process.stdout.write(JSON.stringify(await run()));"
        done = subprocess.run(
            [NODE, "--input-type=module", "-"], input=text, capture_output=True, text=True, check=True, timeout=60
        )
        return json.loads(done.stdout)
    return asyncio.run(_in_chromium(f"(async () => {{ {program} return await run(); }})()", folder))


async def _in_chromium(script: str, folder: Path) -> Any:
    blank = folder / "blank.html"
    blank.write_text("<!doctype html>")
    async with chromium(folder / "profile") as page:
        await page.open(blank.as_uri())  # a page without an origin may compute no digests
        await page.until("location.protocol == 'file:'")
        return await page.value(script)
