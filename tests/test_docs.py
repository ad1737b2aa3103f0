"""The docs: links lead somewhere, every page is in the index and on the site, made pages are as the code is."""

import re
from pathlib import Path

import pytest

from lorarar.cli.page import page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"(?<!`)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)


def anchors(text):
    """The anchors of a page's headings, as those who show Markdown make them."""
    titles = re.findall(r"^#{1,6} (.*)$", FENCE.sub("", text), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower() for title in titles]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in plain}


def links_of(path):
    """A page's links to what lies here."""
    return [link for link in LINK.findall(FENCE.sub("", path.read_text())) if "://" not in link]


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda path: path.stem)
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(path):
    lost = []
    for link in links_of(path):
        target, _, anchor = link.partition("#")
        file = path.parent / target if target else path
        if not file.exists() or (anchor and anchor not in anchors(file.read_text())):
            lost.append(link)
    assert lost == []


def test_every_page_is_in_the_index_and_on_the_site():
    index, contents = (DOCS / "index.md").read_text(), (DOCS / "_toc.yml").read_text()
    names = {str(path.relative_to(DOCS).with_suffix("")) for path in PAGES} - {"index"}
    assert set(re.findall(r"file: (\S+)", contents)) == names
    listed = re.findall(r"^- \[[^\]]*\]\(([^)]*)\.md\)", index, re.MULTILINE)
    assert len(listed) == len(set(listed)) and set(listed) >= {name for name in names if "extending/" not in name} - {
        "api"
    }
    assert "(api.md)" in index and "=======" not in index


def test_no_link_leaves_the_folder_that_the_site_is_made_of():
    files = {
        (path, link): (path.parent / link.partition("#")[0]).resolve() for path in PAGES for link in links_of(path)
    }
    assert [where for where, file in files.items() if not file.is_relative_to(DOCS)] == []


def test_the_page_of_commands_is_as_the_commands_are():
    text = (DOCS / "commands.md").read_text()
    assert text == page(text), "make it anew: make pages"


def test_a_command_without_a_section_gets_one_and_a_section_without_a_command_is_an_error():
    text = (DOCS / "commands.md").read_text()
    without = re.sub(r"^## lorarar backup\n.*?(?=^## )", "", text, flags=re.MULTILINE | re.DOTALL)
    assert "## lorarar backup" not in without
    made = page(without)
    assert made.startswith(without) and "```sh\nlorarar backup -o" in made.removeprefix(without)
    with pytest.raises(ValueError, match="no command lorarar vanish"):
        page(f"{text}\n## lorarar vanish\n")


def test_what_troubleshooting_quotes_is_what_lines_say():
    page = (DOCS / "troubleshooting.md").read_text()
    quoted = re.findall(r"^\| `(.+?)` \|", page, re.MULTILINE)
    source = "".join(
        path.read_text() for room in ("judge", "lorarar", "studies", "tui") for path in (ROOT / room).rglob("*.py")
    )
    literals = re.sub(r'["\']\s*\n\s*f?["\']', "", source)  # a text in several pieces as one
    pieces = [piece.strip(" ;.,") for line in quoted for piece in re.split("…", line)]
    assert len(quoted) > 15
    assert [piece for piece in pieces if len(piece) > 9 and piece not in literals] == []
