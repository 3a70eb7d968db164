# Every target sets up what it needs in .venv by itself; Python 3.11 or newer, venv and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
OLD := .venv-oldest
SPARK := .venv-spark
BENCH := .venv-bench
# Two workers a core, for many tests wait for a service.
PARALLEL = -n $$(($$($(PYTHON) -c 'import os; print(os.cpu_count())') * 2))

# Tests start many processes, which would compile the package anew each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-fast check scripts lab test-oldest test-spark prove browser-loop bench format notebooks screenshots clean

help:
	@echo "make demo         everything on an invented library, no account needed"
	@echo "make test         the tests"
	@echo "make test-fast    most of them, in under 90 seconds"
	@echo "make lab          JupyterLab on notebooks/"
	@echo "make check        format, lint, types and all tests"
	@echo "make prove        the long counts, with their figures: loads, deletions, kills, mutants"
	@echo "make browser-loop the browser tests 20 times over; TIMES=3 for fewer"
	@echo "make test-oldest  the unit tests under pandas 2.2"
	@echo "make test-spark   all summaries on a real PySpark, needs Java"
	@echo "make scripts      the types of the widgets' scripts; needs npx and the npm registry"
	@echo "make format       format the code"
	@echo "make notebooks    run the notebooks on the demo and keep their outputs"
	@echo "make screenshots  take the README's pictures of the panel and the report anew"
	@echo "make bench        measure the loader beside others, 40 minutes"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# pip is silent while it fetches, so that is said first.
define install
@echo "Installing $(1) into $(VENV), once; this takes some minutes ..."
@$(PIP) -e '.$(2)'
@touch $@
endef

$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(call install,the package)

$(VENV)/.notebook: pyproject.toml | $(BIN)/python
	$(call install,JupyterLab and the package,[notebook])
	@touch $(VENV)/.base

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(call install,what the tests need,[test])
	@touch $(VENV)/.notebook $(VENV)/.base

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(call install,what tests and checks need,[dev])
	@touch $(VENV)/.test $(VENV)/.notebook $(VENV)/.base

demo: $(VENV)/.base
	@$(BIN)/picora-analytics demo

test: $(VENV)/.test
	$(BIN)/python -m pytest $(PARALLEL)

test-fast: $(VENV)/.test
	$(BIN)/python -m pytest $(PARALLEL) -m 'not slow and not browser and not notebook'

lab: $(VENV)/.notebook
	$(BIN)/python -m jupyterlab notebooks

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(PARALLEL)
	@$(MAKE) --no-print-directory test-oldest

# TypeScript is no Python package: npx fetches it, so this is a target and a job of its own, and no part of make check.
scripts:
	npx --yes -p typescript@5 tsc -p .

$(VENV)/.prove: pyproject.toml | $(BIN)/python
	$(call install,what the long counts need,[prove])
	@touch $(VENV)/.test $(VENV)/.notebook $(VENV)/.base

# What decides about a deletion: every branch of it is tried.
DECIDING := deletion plan/choice plan/document plan/guard plan/model plan/sparing apply/journal backup/backup backup/folder
COVERAGE := $(BIN)/python -m coverage

prove: $(VENV)/.prove
	$(BIN)/python tests/prove/loads.py
	$(BIN)/python tests/prove/kills.py
	$(BIN)/python tests/prove/backups.py
	$(BIN)/python tests/prove/deletions.py
	$(BIN)/python tests/prove/deaths.py
	$(BIN)/python tests/prove/planted.py
	$(BIN)/python tests/prove/floor.py
	$(BIN)/python tests/prove/spreadsheets.py
	$(BIN)/python benchmarks/engines.py
	PICORA_LIBRARIES=1000 $(BIN)/python -m pytest tests/cleanup/plan/test_candidates.py -k random_libraries
	PICORA_WEEKS=4 $(BIN)/python -m pytest tests/cli/test_weeks.py
	PICORA_COMMITS=300 $(BIN)/python -m pytest tests/references/test_history.py -k walk_of_its_own
	$(COVERAGE) run --branch --source=picora_analytics/cleanup -m pytest --hypothesis-profile=prove tests/cleanup tests/widgets/gallery
	$(COVERAGE) report -m --fail-under=100 --include="$$(printf 'picora_analytics/cleanup/%s.py,' $(DECIDING))"
	$(BIN)/python tests/prove/mutation.py
	@$(MAKE) --no-print-directory test-oldest ON_OLDEST='not browser'
	@$(MAKE) --no-print-directory browser-loop

# What depends on luck shows in many runs: each is whole, and the first that fails ends it.
TIMES := 20
browser-loop: $(VENV)/.test
	set -e; for run in $$(seq $(TIMES)); do echo "browser tests, run $$run of $(TIMES)"; \
		$(BIN)/python -m pytest $(PARALLEL) tests/browser; done

$(OLD)/.test: pyproject.toml
	$(PYTHON) -m venv $(OLD)
	$(OLD)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]' 'pandas==2.2.*'
	@touch $@

# What is quick; `make prove` runs all of it.
ON_OLDEST = not slow
test-oldest: $(OLD)/.test
	$(OLD)/bin/python -m pytest $(PARALLEL) -m '$(ON_OLDEST)' -p no:cacheprovider \
		tests/analysis tests/charts tests/cleanup/plan tests/cleanup/policy tests/library tests/references picora_analytics

$(SPARK)/.test: pyproject.toml
	$(PYTHON) -m venv $(SPARK)
	$(SPARK)/bin/python -m pip install --quiet --disable-pip-version-check -e . 'pyspark>=4,<5' hypothesis pytest
	@touch $@

# Zones that differ from UTC and from each other: that of the process, and in the test that of the session.
test-spark: $(SPARK)/.test
	TZ=Asia/Shanghai $(SPARK)/bin/python -m pytest -p no:cacheprovider -W ignore::FutureWarning tests/analysis/test_spark.py

format: $(VENV)/.dev
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

notebooks: $(VENV)/.test
	env -u PICORA_API_KEY -u PICORA_BASE_URL PICORA_DEMO=1 $(BIN)/python -m nbconvert --to notebook --execute --inplace \
		--ExecutePreprocessor.store_widget_state=False notebooks/*.ipynb

screenshots: $(VENV)/.test
	PICORA_SCREENSHOTS=docs $(BIN)/python -m pytest tests/browser -k readme

$(BENCH)/.ready: pyproject.toml benchmarks/requirements.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -e . -r benchmarks/requirements.txt
	@touch $@

bench: $(BENCH)/.ready
	$(BENCH)/bin/python benchmarks/run.py --write

clean:
	rm -rf $(VENV) $(OLD) $(SPARK) $(BENCH) build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage
