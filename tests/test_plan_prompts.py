"""A plan with several prompts: each has cells of its own, in rows that everything shows apart."""

import pytest

from lorarar.bench.cells import pairs_of
from lorarar.bench.plan import read_plan
from lorarar.families import find_base
from lorarar.generation.drawing_facts import DrawingFacts
from lorarar.generation.placement import Placement
from lorarar.store import Store
from lorarar.store.filters import PictureFilter
from lorarar.store.queries import cell_pictures
from lorarar.util.errors import PlanError

from .bench_plan import run as run_plan
from .bench_plan import write_plan

BEACH = "{content}, on a beach, in {style}"
PROMPTS = f'prompts = ["{{content}} in {{style}}", "{BEACH}"]'


@pytest.fixture
def plan_file(tmp_path, tiny_folder, monkeypatch):
    """A plan of 1 row x 1 content x 1 style x 1 seed, one step."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    path = write_plan(tmp_path, tiny_folder)
    text = path.read_text().replace("[styles]", 'names = ["c0"]\n[styles]').replace("steps = 2", "steps = 1")
    text = text[: text.index("[[methods]]", text.index("[[methods]]") + 1)]
    path.write_text(text.replace("seeds = 3", "seeds = [18446744073709551615]"))
    return path


def say(path, *lines):
    path.write_text(path.read_text().replace("[pictures]", "\n".join(["[pictures]", *lines])))


def keys(path, tiny_folder):
    """The keys of the plan's cells by row."""
    plan, base = read_plan(path), find_base(str(tiny_folder))
    pairs = pairs_of(plan.methods[0], base, plan.pairs.of(plan.contents.read(), plan.styles.read()))
    chunks = pairs[0].chunks(base, plan.pictures, DrawingFacts.of(base, Placement.of(base, "cpu")))
    return {cell.place.row: cell.key for chunk in chunks for cell in chunk}


def test_each_prompt_has_cells_of_its_own_and_a_prompt_that_was_there_keeps_its_picture(plan_file, tmp_path):
    """The seed is the largest, which SQLite's integers cannot hold as it is."""
    first = run_plan(plan_file, tmp_path / "out")
    say(plan_file, PROMPTS)
    second = run_plan(plan_file, tmp_path / "out")
    assert not first.failures + second.failures
    assert (first.generated, second.shared, second.generated) == (1, 1, 1)
    with Store(tmp_path / "a.db") as store, store.reading() as database:
        rows = {row.row: row for row in cell_pictures(database)}
        names = ["direct: {content} in {style}", "direct: {content} on a beach in {style}"]
        assert {name: row.prompt for name, row in rows.items()} == dict(
            zip(names, ["a sks dog in glowing style", "a sks dog, on a beach, in glowing style"], strict=True)
        )
        assert len({row.sha256 for row in rows.values()}) == 2
        chosen = PictureFilter.parse(f"row={names[1]},seed={2**64 - 1}").choose(rows.values(), store.path)
        assert [row.row for row in chosen] == names[1:]
    assert run_plan(plan_file, tmp_path / "out").existing == 2


def test_settings_are_in_keys_only_where_they_are_said(plan_file, tiny_folder):
    (before,) = keys(plan_file, tiny_folder).values()
    say(plan_file, 'negative = ""', 'device = "cpu"', 'offload = "none"', 'dtype = "float32"')
    assert keys(plan_file, tiny_folder) == {"direct": before}
    seen = {before}
    for line in ('size = "32x16"', 'scheduler = "DDIMScheduler"'):
        say(plan_file, line)
        seen |= set(keys(plan_file, tiny_folder).values())
    assert len(seen) == 3
    say(plan_file, 'prompts = ["{content} in {style}"]')
    assert keys(plan_file, tiny_folder).keys() == {"direct"} and {*keys(plan_file, tiny_folder).values()} <= seen


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('scheduler = "Euler"', "no scheduler 'Euler'; there are DDIMScheduler, "),
        ('size = "100"', "'100' is no size; accepted is WIDTHxHEIGHT"),
        ('offload = "all"', "offload"),
        ('dtype = "float8"', "dtype"),
        ('prompts = ["a {content}", "a  {content},"]', "differ in more than commas and blanks"),
        ('prompts = ["{content} in {style}", "{contnet} in {style}"]', "{contnet} in .* stands for nothing"),
        ('prompt = "a {dog} in {style}"', "{dog} in .* stands for nothing"),
        ("seeds = -1", "-1 are no seeds; accepted is how many, from 1"),
        ('prompts = [""]', "none of them empty"),
        ('prompt = "{content}"\nprompts = ["a"]', "prompt and prompts are both given"),
        ("seeds = [18446744073709551616]", "a number from 0 to 18446744073709551615"),
    ],
)
def test_what_cannot_be_drawn_is_said_when_the_plan_is_read(plan_file, line, reason):
    text = plan_file.read_text()
    if line.startswith("seeds"):
        text = text.replace("seeds = [18446744073709551615]\n", "")
    plan_file.write_text(text)
    say(plan_file, line)
    with pytest.raises(PlanError, match="(?s)" + reason.replace("{", r"\{").replace("?", r"\?")):
        read_plan(plan_file)
