"""The voting page without a browser: its order of trials, its votes, and the one file that holds a study."""

import json
import random
import re
from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.pictures.images import read_image
from lorarar.store import Store
from studies.creation.create import StudyRequest, new_study
from studies.errors import PacketError
from studies.page import offline_page
from studies.page.offline_page import write_page
from studies.page.scripts import FOLDER, joined_scripts, modules_of
from studies.rater.design import Design, Item
from studies.rater.names import CODE_LENGTH, LETTERS
from studies.rater.packet_format import read_line
from studies.rater.trials import trials_of
from studies.rater.vote_file import parse
from studies.rater.wording import StudyWording
from studies.store import StudyStore

from .page_scripts import needs_javascript, run_module
from .studies_database import make_database


def digest_of(number):
    return f"{number:064x}"


def made_design(seed):
    """A design of any shape: with and without practice, checks, repeats, of both kinds."""
    draw = random.Random(seed)
    kind = draw.choice(["ab", "absolute"])
    plain, checks = draw.randint(1, 40), draw.randint(0, 3)
    purposes = ["plain"] * plain + ["attention"] * checks
    draw.shuffle(purposes)
    purposes = ["practice"] * draw.randint(0, 1) + purposes
    pictures = 2 if kind == "ab" else 1
    items = tuple(
        Item(number, purpose, *(digest_of(draw.getrandbits(250)) for _ in range(2)), options)
        for number, purpose in enumerate(purposes)
        if (options := tuple(digest_of(draw.getrandbits(250)) for _ in range(pictures)))
    )
    return Design(kind, StudyWording.of(kind), items, draw.randint(0, plain // 3))


@needs_javascript
def test_the_page_shows_every_rater_the_same_pictures_in_the_same_order_and_sides_as_python(tmp_path):
    cases = [(made_design(seed), f"{code}{seed}") for seed in range(12) for code in ("K7QF3M-", "A-", "ZZ9")]
    asked = [[{**design.record(), "digest": design.digest}, code] for design, code in cases]
    body = f"return Promise.all({json.dumps(asked)}.map(([design, code]) => trialsOf(design, code)));"
    for (design, code), shown in zip(cases, run_module("trials.js", body, tmp_path), strict=True):
        trials = trials_of(design, code)
        assert [(one["number"], one["purpose"], one["mirrored"]) for one in shown] == [
            (trial.number, trial.purpose, trial.mirrored) for trial in trials
        ]
        assert [(one["subject"], one["style"], tuple(one["options"])) for one in shown] == [
            (trial.item.subject, trial.item.style, trial.options) for trial in trials
        ]
    assert {purpose for design, code in cases for purpose in (t.purpose for t in trials_of(design, code))} == {
        *("practice", "plain", "repeat", "attention")
    }


SCREEN = {"renderer": "browser", "columns": 0, "rows": 0, "cell_width": 0, "cell_height": 0} | {
    "picture_width": 470,
    "picture_height": 470,
    "colours": 256**3,
}


@needs_javascript
def test_a_vote_is_taken_for_one_that_arrived_only_right_after_its_answer_was_lost(tmp_path):
    """Replies are None for a lost answer, or a status and a document."""
    refused = [409, {"error": "answered elsewhere", "state": {"done": 1}}]
    replies = [None, [503, {"error": "locked"}], refused, None, [200, {"done": 1}], refused]
    body = f"""
        const replies = {json.dumps(replies)};
        globalThis.fetch = async () => {{
            const [status, said] = replies.shift();  // None fails here
            return {{ ok: status === 200, status, json: async () => said }};
        }};
        const session = served(), came = [];
        const vote = () => session.vote({{ trial: 3 }});
        while (replies.length) came.push(await vote().then(() => "taken", (error) => error.message));
        return came;
    """
    lost = "The study does not answer; is there a connection? Try again."
    assert run_module("served.js", body, tmp_path) == [lost, "locked", "taken", lost, "taken", "answered elsewhere"]


@needs_javascript
def test_the_pages_votes_are_lines_that_an_import_reads(tmp_path):
    body = f"""
        const votes = voteLog("{digest_of(7)}", "K7QF3M", new Map());
        votes.consent();
        const screen = {json.dumps(SCREEN)};
        votes.add({{trial: 0, answer: "left", seconds: 1.25, screen}}, undefined);
        votes.add({{trial: 1, answer: "similar", seconds: 86400, screen}}, undefined);
        votes.add({{trial: 0, answer: "right", seconds: 3, screen}}, votes.standing().get(0).id);
        return [votes.text(), [...votes.standing()].map(([trial, vote]) => [trial, vote.answer]), votes.consented()];
    """
    text, standing, consented = run_module("vote_log.js", body, tmp_path)
    consent, *votes = parse(text.encode(), "votes").lines
    assert consented
    assert consent.consented
    assert {(line.study, line.rater) for line in [consent, *votes]} == {(digest_of(7), "K7QF3M")}
    assert [(line.trial, line.answer, line.seconds) for line in votes] == [
        (0, "left", 1.25),
        (1, "similar", 86400),
        (0, "right", 3),
    ]
    assert [line.supersedes for line in votes] == [None, None, votes[0].id]
    assert standing == [[0, "right"], [1, "similar"]]
    assert votes[0].vote().screen.record() == SCREEN


@needs_javascript
def test_of_two_windows_that_answer_at_once_one_counts_and_the_file_can_be_imported(tmp_path):
    body = f"""
        const kept = new Map();
        const screen = {json.dumps(SCREEN)};
        const [one, other] = [0, 1].map(() => voteLog("{digest_of(7)}", "K7QF3M", kept));
        one.consent();
        one.add({{trial: 0, answer: "left", seconds: 1, screen}}, undefined);
        other.add({{trial: 0, answer: "right", seconds: 1, screen}}, undefined);  // it had not heard of the first
        one.add({{trial: 1, answer: "right", seconds: 1, screen}}, undefined);
        return [one.text(), kept.size];
    """
    text, kept = run_module("vote_log.js", body, tmp_path)
    votes = [line.vote() for line in map(read_line, text.encode().splitlines()) if line.vote()]
    assert [(vote.trial, vote.answer) for vote in votes] == [(0, "left"), (1, "right")]
    assert kept == 4  # nothing is taken away


@needs_javascript
def test_the_page_draws_codes_as_python_does(tmp_path):
    body = f"return [...Array(200)].map(() => newCode({{letters: '{LETTERS}', length: {CODE_LENGTH}}}));"
    codes = run_module("offline.js", body, tmp_path)
    assert len(set(codes)) == 200
    assert all(re.fullmatch(f"[{LETTERS}]{{{CODE_LENGTH}}}", code) for code in codes)
    assert {letter for code in codes for letter in code} == set(LETTERS)


def study_with(tmp_path, **words):
    """A design of one practice and three plain items with tiny pictures."""
    from PIL import Image

    from lorarar.pictures.images import write_png
    from studies.rater.blind_pictures import blind_reference, png_digest

    pictures = {}
    for number in range(16):
        path = tmp_path / f"{number}.png"
        write_png(Image.new("RGB", (4, 4), (15 * number, 0, 90)), path, {"a": "secret"})
        png = blind_reference(path)
        pictures[png_digest(png)] = png
    names = list(pictures)
    items = tuple(
        Item(n, "plain" if n else "practice", *names[4 * n : 4 * n + 2], tuple(names[4 * n + 2 : 4 * n + 4]))
        for n in range(4)
    )
    return Design("ab", StudyWording.of("ab", **words), items, 1), pictures


def data_of(page, name):
    (text,) = re.findall(rf'<script type="application/octet-stream" id="{name}">([^<]*)</script>', page)
    return text


def test_the_one_file_holds_every_picture_and_nothing_from_elsewhere(tmp_path):
    design, pictures = study_with(tmp_path)
    page = write_page(design, pictures, tmp_path / "page.html").read_text()
    for digest, png in pictures.items():
        assert b64decode(data_of(page, f"picture-{digest}")) == png
        assert read_image(png).size == (4, 4)
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert "import " not in re.sub(r"//.*|/\*.*?\*/|`study import`", "", joined_scripts("offline_page.js"))
    other = write_page(design, dict(reversed(pictures.items())), tmp_path / "other.html")
    assert other.read_text() == page


def test_the_pages_policy_allows_its_own_script_and_style_alone(tmp_path):
    page = write_page(*study_with(tmp_path), tmp_path / "page.html").read_text()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    (script,) = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    script, style = (f"'sha256-{b64encode(sha256(t.encode()).digest()).decode()}'" for t in (script, style))
    assert policy.split("; ") == [
        "default-src 'none'",
        f"script-src {script}",
        f"style-src {style}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert page.index("Content-Security-Policy") < page.index("<style>")


NASTY = "</script><script>alert(1)</script><!-- <script> ]]> &lt; \" ' \\u003c"


def test_what_a_study_says_stays_data(tmp_path):
    design, pictures = study_with(tmp_path, instruction=NASTY, consent=NASTY, tie=NASTY[:40])
    page = write_page(design, pictures, tmp_path / "page.html").read_text()
    plain = write_page(*study_with(tmp_path), tmp_path / "plain.html").read_text()
    assert page.count("<script") == plain.count("<script")
    assert page.count("</script") == plain.count("</script")
    study = json.loads(data_of(page, "study"))
    assert (study["introduction"]["instruction"], study["introduction"]["consent"]) == (NASTY, NASTY)
    assert study["introduction"]["labels"][1] == NASTY[:40]


def test_every_file_of_the_page_is_used_and_packed():
    import tomllib

    index = (FOLDER / "index.html").read_text()
    named = set(re.findall(r'"/page/([\w.]+)"', index)) | {"index.html", "offline_page.js"}
    modules = [modules_of(entry) for entry in named if entry.endswith(".js")]
    files = {path.name for path in FOLDER.iterdir() if path.suffix in (".css", ".html", ".js")}
    assert named.union(*modules) == files
    with (FOLDER.parents[1] / "pyproject.toml").open("rb") as file:
        packed = tomllib.load(file)["tool"]["setuptools"]["package-data"]["studies.page"]
    assert {f"*{(FOLDER / name).suffix}" for name in files} == set(packed)


def test_nothing_of_the_page_makes_markup_of_text():
    for script in FOLDER.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(", script.read_text()
        )


def test_an_exported_page_names_no_method_no_concept_and_no_study_and_other_endings_are_refused(tmp_path):
    path = make_database(tmp_path, methods=("alphas", "betas"), subjects=("zebra", "okapi"), styles=("glowing", "oily"))
    with Store(path) as store:
        study = new_study(store, StudyRequest("secretly", "ab", ("alphas", "betas"), "random", items=4))
        pictures = StudyStore(store).pictures(study.design.pictures)

    def export(name):
        words = ["study", "export", "secretly", "-o", str(tmp_path / name), "--db", str(path)]
        return CliRunner().invoke(app, words)

    assert export("page.html").exit_code == 0
    page = (tmp_path / "page.html").read_text()
    for digest, png in pictures.items():
        assert b64decode(data_of(page, f"picture-{digest}")) == png  # bare pixels, as in a packet
    words = re.sub(r'"[A-Za-z0-9+/=]{200,}"|>[A-Za-z0-9+/=]{60,}<|data:image/png;base64,[A-Za-z0-9+/=]+', "", page)
    assert len(words) < 100_000
    for name in ("alphas", "betas", "zebra", "okapi", "glowing", "oily", "secretly", str(tmp_path), "grid.db"):
        assert name not in words, name
    assert "attention" not in data_of(page, "study")
    refused = export("page.pdf")
    assert refused.exit_code == 1
    said = refused.output.replace("\n", " ")
    assert all(words in said for words in ("accepted is a name ending in", ".zip", ".html"))


def test_a_page_too_large_for_browsers_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(offline_page, "LARGEST", 100)
    with pytest.raises(PacketError, match=r"NAME.zip.*serve"):
        write_page(*study_with(tmp_path), tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
