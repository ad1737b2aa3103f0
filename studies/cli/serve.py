"""``lorarar study serve``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, command, print_json, print_text
from lorarar.util.messages import message
from lorarar.util.outputs import check_output
from studies.cli.options import NameArgument, open_store


@command
def serve(
    name: NameArgument,
    raters: Annotated[int, typer.Option("--raters", help="Links to have.", min=1, max=1000)] = 10,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.", min=1, max=65535)] = 8000,
    url: Annotated[
        str | None,
        typer.Option("--url", help="Where raters reach it, behind a proxy.", show_default="http://HOST:PORT"),
    ] = None,
    tokens: Annotated[
        Path | None, typer.Option("--tokens", help="File of tokens.", show_default="NAME.tokens beside the database")
    ] = None,
    most: Annotated[int, typer.Option("--most", help="Connections at a time.", min=1, max=1000)] = 32,
    public: Annotated[bool, typer.Option("--public", help="Listen on an address others can reach.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let people vote in their browsers, each by a link of their own; Ctrl-C ends it."""
    from studies.serving.guard import check_host, origin_of
    from studies.serving.tokens import new_token, read_tokens, write_tokens
    from studies.store import RaterStore, StudyStore

    check_host(host, public)
    origin = origin_of(url or f"http://{f'[{host}]' if ':' in host else host}:{port}")
    with open_store(db) as store:
        if tokens is not None:
            check_output(tokens, inputs=[store.path], option="--tokens")
        study = StudyStore(store).get(name)
        file = tokens or store.path.with_name(f"{study.name}.tokens")
        codes = read_tokens(file)
        while len(codes) < raters:
            codes[new_token()] = RaterStore(store, study).new_code(codes.values())
        write_tokens(file, codes)
        database = store.path
    from studies.serving.server import StudyService
    from studies.serving.server import serve as start

    links = [{"rater": code, "url": f"{origin}/?token={token}"} for token, code in codes.items()]
    if as_json:
        print_json(links)
    else:
        for link in links:
            print_text(f"{link['rater']} {link['url']}")
    message(f"Serving on {origin}; the links are kept in {file}. Ctrl-C ends it.")
    start(StudyService(study=name, database=database, tokens=codes, origin=origin, host=host, port=port, most=most))
