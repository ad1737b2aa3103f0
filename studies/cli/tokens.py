"""``lorarar study tokens``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, command, print_json, print_text
from lorarar.cli.help_pages import help_page
from lorarar.store.command_line import command_line
from lorarar.util.formatting import count
from lorarar.util.messages import message
from studies.cli.link_options import TokensOption, UrlOption, tokens_beside
from studies.cli.options import NameArgument, open_to_read

if TYPE_CHECKING:
    from studies.serving.tokens import TokenFile, Tokens


@help_page("lorarar study tokens dogs --revoke ANNA")
@command
def tokens(
    name: NameArgument,
    revoke: Annotated[
        str | None, typer.Option("--revoke", help="Take back the link of this rater.", metavar="CODE")
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", help="Address of the links.", show_default="where it was served last")
    ] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of the links.", min=1, max=65535)] = None,
    url: UrlOption = None,
    tokens: TokensOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a study's links anew, or take one back: a server that runs lets that rater in no more."""
    from studies.rater.names import rater_code
    from studies.serving.guard import check_host, origin_at
    from studies.serving.tokens import TokenFile
    from studies.store import RaterStore, StudyStore

    with open_to_read(db) as store:
        study = StudyStore(store).get(name)
        file = TokenFile(tokens or tokens_beside(store.path, study.name), study.design.digest)
        code = None if revoke is None else rater_code(revoke)
        held = file.read() if code is None else _revoke(file, code)
        for deleted in RaterStore(store, study).withdrawn_of(held.codes.values()):
            held.withdraw(deleted)  # a server takes it out of the file
    origin = held.origin
    if url or host or port or not origin:
        check_host(host or "127.0.0.1", public=True, url=url)
        origin = origin_at(host or "127.0.0.1", port or 8000, url)
    links = held.links(origin)
    if as_json:
        print_json({"study": name, "tokens": str(file.path), "count": len(links), "revoked": code, "links": links})
    elif code is None:
        for link in links:
            print_text(f"{link['rater']} {link['url']}")
    gone = "" if code is None else f"the link of {code} lets nobody in any more; left: "
    more = "" if links else f"; some come by: {command_line(f'lorarar study serve {name}')}"
    message(f"{gone}{count(len(links), 'link')} in {file.path}{more}")


def _revoke(file: TokenFile, code: str) -> Tokens:
    """Take a rater's tokens out of their file; those that are left.

    Raises:
        StudyError: it has none.
    """
    from studies.errors import StudyError

    with file.changing() as held:
        if not held.withdraw(code):
            there = ", ".join(sorted(held.codes.values())[:20]) or "nobody"
            raise StudyError(f"{file.path} has no link of the rater {code}; it has those of {there}")
    return held
