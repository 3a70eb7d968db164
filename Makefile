# Every target sets up what it needs in .venv by itself; Python 3.11 or newer, venv and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
OLD := .venv-oldest
# One worker a core; tests that share a JupyterLab stay in one.
PARALLEL := -n logical --dist loadgroup

.PHONY: help demo test check lab test-oldest prove format notebooks clean

help:
	@echo "make demo         everything on an invented library, no account needed"
	@echo "make test         the tests"
	@echo "make lab          JupyterLab on notebooks/"
	@echo "make check        format, lint, types and all tests"
	@echo "make test-oldest  the unit tests under pandas 2.2"
	@echo "make prove        the long counts: a million deletions, deaths, planted faults, mutants (an hour)"
	@echo "make format       format the code"
	@echo "make notebooks    run the notebooks on the demo and keep their outputs"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(PIP) -e .
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[test]'
	@touch $@ $(VENV)/.base

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.test $(VENV)/.base

demo: $(VENV)/.base
	@$(BIN)/picora-analytics demo

test: $(VENV)/.test
	$(BIN)/python -m pytest $(PARALLEL)

lab: $(VENV)/.test
	$(BIN)/python -m jupyterlab notebooks

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(PARALLEL)
	@$(MAKE) --no-print-directory test-oldest

$(OLD)/.test: pyproject.toml
	$(PYTHON) -m venv $(OLD)
	$(OLD)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]' 'pandas==2.2.*'
	@touch $@

test-oldest: $(OLD)/.test
	$(OLD)/bin/python -m pytest $(PARALLEL) -m 'not browser and not notebook' -p no:cacheprovider \
		tests/analysis tests/charts tests/cleanup tests/library picora_analytics

$(VENV)/.prove: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[prove]'
	@touch $@

PROVEN := plan planning planfile guard journal choice
prove: export PYTHONPATH := tests
prove: $(VENV)/.prove
	nice $(BIN)/python -m prove.prove_deletions
	nice $(BIN)/python -m prove.prove_kills
	nice $(BIN)/python -m prove.prove_planted
	nice $(BIN)/python -m prove.prove_floor
	nice $(BIN)/python -m coverage run --data-file=.coverage --branch --source=picora_analytics/cleanup -m pytest tests/cleanup
	$(BIN)/python -m coverage report --data-file=.coverage -m --fail-under=100 \
		--include="$$(printf 'picora_analytics/cleanup/%s.py,' $(PROVEN))"
	nice $(BIN)/python -m prove.prove_mutants

format: $(VENV)/.dev
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

notebooks: $(VENV)/.test
	env -u PICORA_API_KEY -u PICORA_BASE_URL $(BIN)/python -m nbconvert --to notebook --execute --inplace notebooks/*.ipynb

clean:
	rm -rf $(VENV) $(OLD) build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage
