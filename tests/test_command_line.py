"""A command that is suggested is about the database that was named."""

import pytest

from lorarar.store import DEFAULT, Store
from lorarar.store.command_line import command_line, named_database


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("../other.db", "lorarar judge run --db ../other.db"),
        ("my results.db", "lorarar judge run --db 'my results.db'"),
        (DEFAULT, "lorarar judge run"),
    ],
)
def test_a_suggested_command_names_the_database_where_it_has_to(path, typed, tmp_path):
    with named_database(type(tmp_path)(path)):
        assert command_line("lorarar judge run") == typed
    assert command_line("lorarar judge run") == "lorarar judge run"


def test_commands_suggest_others_on_the_database_that_they_were_given(run, monkeypatch):
    Store("other.db").close()
    assert "lorarar study new --db other.db" in run("study", "list", "--db", "other.db").stderr
    assert "lorarar bench run quick --db other.db" in run("judge", "run", "--db", "other.db").stderr
    assert "--db other.db" in run("judge", "run", "--db", "gone/other.db").stderr.replace("gone/", "")
    monkeypatch.setenv("LORARAR_DB", "other.db")
    assert run("study", "list").stderr == "No studies yet; make one with: lorarar study new\n"
