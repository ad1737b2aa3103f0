"""``lorarar study serve``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, command, print_json, print_text
from lorarar.cli.help_pages import help_page
from lorarar.util.messages import message
from lorarar.util.outputs import check_output
from studies.cli.link_options import HostOption, PortOption, TokensOption, UrlOption, tokens_beside
from studies.cli.options import NameArgument, open_store

if TYPE_CHECKING:
    from lorarar.store import Store
    from studies.serving.tokens import Tokens
    from studies.store import Study


@help_page("lorarar study serve dogs --raters 12")
@command
def serve(
    name: NameArgument,
    raters: Annotated[int, typer.Option("--raters", help="Links to have.", min=1, max=1000)] = 10,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    url: UrlOption = None,
    tokens: TokensOption = None,
    most: Annotated[int, typer.Option("--most", help="People at a time.", min=1, max=1000)] = 200,
    public: Annotated[bool, typer.Option("--public", help="Listen on an address others can reach.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let people vote in their browsers, each by a link of their own; Ctrl-C ends it."""
    from studies.serving.guard import check_host, origin_at
    from studies.serving.server import listening, start
    from studies.serving.service import StudyService
    from studies.serving.tokens import TokenFile
    from studies.store import StudyStore

    check_host(host, public, url)
    origin = origin_at(host, port, url)
    with open_store(db) as store:
        if tokens is not None:
            check_output(tokens, inputs=[store.path], option="--tokens")
        study = StudyStore(store).get(name)
        service = StudyService(name, store.path, tokens or tokens_beside(store.path, study.name), origin, most)
        file = TokenFile(service.tokens, study.design.digest)
        with listening(host, port) as sockets, file.served():
            with file.changing() as held:
                _prepare(held, store, study, raters, origin)
            links = held.links(origin)
            store.close()  # the server opens it by itself
            if as_json:
                print_json(links)
            else:
                for link in links:
                    print_text(f"{link['rater']} {link['url']}")
            message(f"Serving on {origin}; the links are kept in {file.path}. Ctrl-C ends it.")
            start(service, sockets)
    message("Ended; every vote that was answered is in the database.")


def _prepare(tokens: Tokens, store: Store, study: Study, raters: int, origin: str) -> None:
    """Take away the tokens of those who were deleted, and make new ones until there are as many as raters."""
    from studies.serving.tokens import new_token
    from studies.store import RaterStore

    people = RaterStore(store, study)
    for code in people.withdrawn_of(tokens.codes.values()):
        tokens.withdraw(code)
    while len(tokens.codes) < raters:
        tokens.codes[new_token()] = people.new_code(tokens.codes.values())
    tokens.origin = origin
