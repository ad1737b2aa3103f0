"""Parts that all commands share: the gate to stdout, options, errors as one line, pictures in the terminal.

Invariant: whatever a command prints on stdout goes through one of the four ``print_…`` here, which let no control code
through to a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer

from lorarar.store import DEFAULT, ENVIRONMENT
from lorarar.store.command_line import named_database
from lorarar.util.errors import LorarError, OutOfMemoryError, SeedError, system_reason
from lorarar.util.json_text import as_json
from lorarar.util.messages import is_silent, message, stderr_console
from lorarar.util.out_of_memory import out_of_memory_as, what_was_missing
from lorarar.util.picture_protocol import picture_library, picture_protocol
from lorarar.util.seeds import LARGEST, check_seeds
from lorarar.util.suggestion import did_you_mean
from lorarar.util.text import clean
from lorarar.version import __version__

if TYPE_CHECKING:
    from PIL.Image import Image
    from rich.console import RenderableType


P = ParamSpec("P")
R = TypeVar("R")

INTERRUPTED = 130  # exit code after Ctrl-C, as shells have it
WIDEST = 100_000  # columns of what is no terminal; more than anything takes


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"lorarar {__version__}")
        raise typer.Exit


def _note_database(context: typer.Context, path: Path | None) -> Path | None:
    """Let the commands that this one suggests be about the database that its ``--db`` names."""
    source = context.get_parameter_source("db")
    if path is not None and source is not None and source.name == "COMMANDLINE":
        context.with_resource(named_database(path))
    return path


DbOption = Annotated[
    Path | None,
    typer.Option(
        "--db", help="Database of results.", envvar=ENVIRONMENT, show_default=f"./{DEFAULT}", callback=_note_database
    ),
]
VersionOption = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
BaseOption = Annotated[
    str,
    typer.Option(
        "--base",
        help="Base model: pocket, sdxl, ssd-1b, koala-700m, sd15, flux1, flux2-klein, qwen-image, z-image, a pipeline "
        "folder, a checkpoint file or a hub id.",
        metavar="BASE",
    ),
]
VaeOption = Annotated[
    str | None,
    typer.Option(
        "--vae",
        help="Another VAE than the base's: a .safetensors file, a folder or a hub id.",
        metavar="VAE",
        show_default="the base's own",
    ),
]
PredictionOption = Annotated[
    str | None,
    typer.Option(
        "--prediction",
        help="What the base predicts: epsilon or v.",
        metavar="WHAT",
        show_default="what its files say, else epsilon",
    ),
]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="cpu, cuda, cuda:1 or mps.", show_default="cuda if there is some")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed.", min=0, max=LARGEST, metavar="INTEGER")]


def seeds_from(first: int, count: int) -> range:
    """The seeds of so many pictures, a usage error where they go beyond the largest."""
    seeds = range(first, first + count)
    try:
        check_seeds(seeds)
    except SeedError as error:
        raise typer.BadParameter(str(error)) from None
    return seeds


def command(function: Callable[P, R]) -> Callable[P, R]:
    """Turn expected errors and Ctrl-C into one line on stderr and an exit code that is not 0."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with out_of_memory_as(_less_memory):
                return function(*args, **kwargs)
        except LorarError as error:
            message(f"{error.title}: {error}", "red")
            raise typer.Exit(error.exit_code) from None
        except OSError as error:  # a full disk, a name too long, a folder that is closed to this user …
            if error.errno is None or isinstance(error, BrokenPipeError):  # no word of the system's, or a reader's end
                raise
            message(f"System: {system_reason(error)}", "red")
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            message("Interrupted; what was finished is kept.", "yellow")
            raise typer.Exit(INTERRUPTED) from None

    return guarded


def _less_memory(error: BaseException) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"{what_was_missing(error)}; half precision, a smaller model or fewer things at once take less of it"
    )


def print_text(text: str, end: str = "\n") -> None:
    """Print text on stdout at once, without the control codes that it may have from outside."""
    _write(clean(text) + end)


def print_path(path: Path | None) -> None:
    """Print a file's place on stdout: exactly as it is to a program, as ``print_text`` does in a terminal.

    Without a place nothing is printed.
    """
    if path is None:
        return
    if sys.stdout.isatty():
        print_text(str(path))
    else:
        print(path)


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    text = as_json(value)
    _write(text if _takes(text) else as_json(value, ascii_alone=True))


def stdout_width() -> int:
    """The columns that there are on stdout; ``WIDEST`` where it is no terminal."""
    from rich.console import Console

    return Console().width if sys.stdout.isatty() else WIDEST


def print_rich(renderable: RenderableType) -> None:
    """Print what rich draws on stdout: folded to a terminal's width, as wide as it is to a program.

    Its texts have to be clean; those of ``lorarar.util.tables.Table`` are.
    """
    from rich.console import Console

    if sys.stdout.isatty():
        Console(highlight=False).print(renderable)
        return
    console = Console(highlight=False, width=WIDEST)
    with console.capture() as captured:
        console.print(renderable)
    _write("".join(f"{line.rstrip()}\n" for line in captured.get().removesuffix("\n").split("\n")))


def _write(text: str) -> None:
    """Write to stdout; what its encoding does not have becomes a question mark, and no error."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text if _takes(text) else text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def _takes(text: str) -> bool:
    """Whether stdout's encoding has all characters of a text."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def one_form(as_json: bool, form: str, default: str, error: type[LorarError]) -> str:
    """The form that ``--json`` and ``--format`` ask for together.

    Raises:
        error: they ask for two.
    """
    if as_json and form not in ("json", default):
        raise error(f"--json and --format {form} ask for two forms; give one of them")
    return "json" if as_json else form


def one_of(option: str, value: str, accepted: Sequence[str], error: type[LorarError]) -> str:
    """Return the value of an option if it is accepted.

    Raises:
        error: it is not; the message says what is.
    """
    if value not in accepted:
        raise error(f"{option} is {value[:40]!r}; accepted are {', '.join(accepted)}{did_you_mean(value, accepted)}")
    return value


def prepare_images() -> None:
    """Ask the terminal how it shows pictures, before the work that makes them: while it lasts, people type ahead."""
    if sys.stderr.isatty() and not is_silent():
        picture_protocol()


def show_images(images: Sequence[Image], width: int = 24) -> None:
    """Show pictures side by side in the terminal, in the best way it knows; do nothing where stderr is none.

    ``width`` is of one picture, in columns; a wider one than the terminal is made to fit.
    """
    if not sys.stderr.isatty() or is_silent():
        return
    from rich.columns import Columns

    protocol, library, console = picture_protocol(), picture_library(), stderr_console()
    if protocol == "half" and console.no_color:
        return
    renderers = {"sixel": library.SixelImage, "kitty": library.TGPImage, "half": library.HalfcellImage}
    # what draws by kitty's protocol writes to stdout, whatever that is
    renderable = renderers[protocol if sys.stdout.isatty() or protocol != "kitty" else "half"]
    fitting = min(width, console.width)
    console.print(Columns([renderable(image, width=fitting, height="auto") for image in images], padding=(0, 1)))
