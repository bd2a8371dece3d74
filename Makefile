# Every target sets up its own virtual environment when that is missing or out of date.
#   make test PYTHON=python3.12 VENV=.venv-312    another interpreter, another environment
# On Linux plain torch wheels bring CUDA along; TORCH= names another build, such as a CPU one:
#   make test TORCH=torch==$(TORCH_VERSION)+cpu

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
PROFILE ?= quick
OUT ?= out

BIN := $(VENV)/bin
TORCH_VERSION := $(shell sed -n 's/^torch==//p' constraints.txt)
TORCH ?= torch==$(TORCH_VERSION)
STAMP := $(VENV)/.installed
BENCH_STAMP := $(VENV)/.installed-bench
DOCS_STAMP := $(VENV)/.installed-docs

# many small linear-algebra calls: one thread each, the processes are what runs in parallel
export OMP_NUM_THREADS ?= 1

.PHONY: help reproduce test lint format bench figures notebooks docs clean

help:
	@echo "make reproduce   judge every shipped theorem by simulation: table, $(OUT)/report.html, $(OUT)/figures"
	@echo "make test        the test suite"
	@echo "make lint        ruff (lint and format) and mypy"
	@echo "make figures     the published figures, from stored results"
	@echo "make bench       the benchmarks, as tables"
	@echo "make notebooks   execute the tutorials (notebooks/*.py) into .ipynb"
	@echo "make docs        the documentation as HTML, in docs/_build/html"
	@echo "make format      let ruff rewrite the sources"

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "$(TORCH)" -c constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

$(BENCH_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev,bench]"
	$(BIN)/python -m pip install --quiet --no-deps adelie==1.1.52  # asks for numpy < 2, runs with 2
	touch $@

$(DOCS_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev,docs]"
	touch $@

reproduce: $(STAMP)
	mkdir -p $(OUT)
	$(BIN)/tlstat verify simulations/ --profile $(PROFILE) --jobs $(JOBS) --report $(OUT)/report.html
	$(BIN)/tlstat figures --profile $(PROFILE) --jobs $(JOBS) --output $(OUT)/figures

figures: $(STAMP)
	$(BIN)/tlstat figures --profile $(PROFILE) --jobs $(JOBS) --output $(OUT)/figures

test: $(STAMP)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(BENCH_STAMP)
	set -e; for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script; done

notebooks: $(STAMP)
	$(BIN)/jupytext --to ipynb --execute notebooks/*.py

docs: $(DOCS_STAMP)
	$(BIN)/sphinx-build -W -q docs docs/_build/html

clean:
	rm -rf $(OUT) docs/_build docs/_generated docs/_notebooks .pytest_cache .ruff_cache .mypy_cache .hypothesis build dist
