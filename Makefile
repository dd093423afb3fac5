# What one types: make demo, make test, make check, make bench, make clean.
#
# Each of demo and test keeps an environment of its own (.venv, .venv-test), made by tools/setup_venv.py from
# the pins in constraints.txt; a second run finds it ready. Variables:
#   PYTHON   the Python to use, 3.11 or newer      make demo PYTHON=python3.12
#   EXTRAS   extras for the tests' environment     make test EXTRAS=gpu,multilingual
#   ARGS     what pytest is given, in place of "two files at a time"      make test ARGS="tests/engine -k fusion"

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test check format bench pins clean venv venv-test pytest lint

# The first Python that is new enough; when there is none, python3, so that the set-up can say what it found.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; exit; }; done; echo python3)
EXTRAS ?=
ARGS ?= -n 2 --dist loadfile
TOOLS := .venv-test/bin
# The folders here are named as the packages in the wheel: PYTHONSAFEPATH keeps them out of the way.
INSTALLED := QUIRE_TEST_INSTALLED=1 PYTHONSAFEPATH=1

help:
	@echo "make demo    install Quire into .venv, index Python's own documentation, search it, and serve the search box"
	@echo "make test    build the wheel, install it into .venv-test, and run the tests on it"
	@echo "make check   ruff, mypy and the import contracts"
	@echo "make bench   the benchmarks, each against a peer (minutes)"
	@echo "make clean   remove the environments, the demo and every cache"

venv:
	@command -v $(PYTHON) >/dev/null || { echo "Quire needs Python 3.11 or newer, and there is no $(PYTHON) here." >&2; \
		echo "On Debian or Ubuntu:  sudo apt-get install python3 python3-venv python3-dev g++" >&2; exit 1; }
	@$(PYTHON) tools/setup_venv.py .venv

venv-test:
	@command -v $(PYTHON) >/dev/null || { echo "Quire needs Python 3.11 or newer, and there is no $(PYTHON) here." >&2; \
		echo "On Debian or Ubuntu:  sudo apt-get install python3 python3-venv python3-dev g++" >&2; exit 1; }
	@$(PYTHON) tools/setup_venv.py .venv-test --wheel --group dev --extras "$(EXTRAS)"

demo: venv
	@.venv/bin/quire demo

test: venv-test
	@$(MAKE) --no-print-directory pytest

# On the wheel that .venv-test holds already.
pytest:
	@$(INSTALLED) $(TOOLS)/pytest $(ARGS)

check: venv-test lint

lint:
	$(TOOLS)/ruff check .
	$(TOOLS)/ruff format --check .
	$(TOOLS)/mypy
	$(TOOLS)/lint-imports

format: venv-test
	$(TOOLS)/ruff check --fix .
	$(TOOLS)/ruff format .

# Those that can be run; the others are what they share. Their folder is to be on the path, the packages' is not.
# The last wants collections (QUIRE_DATASETS), cold_start the demo's index.
bench: venv-test
	@for name in encoder_speed first_stage indexing long_document measuring reporting cold_start chinese_terms; do \
		echo "== benchmarks/$$name.py"; $(TOOLS)/python benchmarks/$$name.py || exit 1; done

# New pins: everything there is, newest, in an environment of its own; torch stays where tools/pin.py has it.
pins:
	$(PYTHON) tools/pin.py constraints.txt

clean:
	rm -rf .venv .venv-test demo-corpus demo-index dist build .coverage .coverage.*
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
