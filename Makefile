# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PLAN ?= demo

.PHONY: setup demo test rehearsal screens check format bench pages docs clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: setup  ## on Pocket: merge a test pair by several methods, draw a small grid, judge it, report
	$(BIN)/lorarar demo $(DEMO)
	$(BIN)/lorarar bench run $(PLAN)
	$(BIN)/lorarar judge run --images plan=$(PLAN)
	$(BIN)/lorarar judge report --images plan=$(PLAN) --against direct

test: setup  ## all tests, two at a time
	$(BIN)/pytest -n 2

rehearsal: setup  ## the slow tests, then the real commands at true size, some 90 minutes and 30 GB
	$(BIN)/pytest -m slow
	$(BIN)/python -m benchmarks rehearsal

screens: setup  ## write the app's screenshots anew, where its looks were changed on purpose
	LORARAR_SCREENS=update $(BIN)/pytest tests/test_tui_looks.py -k look_as

check: setup  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup  ## ratios within one run
	$(BIN)/python -m benchmarks

pages: setup  ## the pages of the docs that are made of the code: commands and the database
	$(BIN)/python -m lorarar.cli.page docs/commands.md
	$(BIN)/python -m lorarar.store.page > docs/database.md

docs: setup  ## the docs as a site, build/docs/index.html; a broken link or reference is an error
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --builder html docs build/docs

clean:
	rm -rf $(VENV) build dist *.egg-info
