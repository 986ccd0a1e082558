# `make repro` and `make test` set everything up by themselves; `make help` lists the rest.
VENV ?= .venv
PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
STAMP := $(VENV)/.installed
export PATH := $(abspath $(VENV))/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup repro test lint format params lock clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP)  ## Create .venv and install the locked packages

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Fovea needs Python 3.11, 3.12 or 3.13; none was found. Install one, or: make PYTHON=/path/to/python3.12 …"; exit 2; }
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
	  uv pip install --quiet --python $(VENV)/bin/python --require-hashes -r requirements.lock && \
	  uv pip install --quiet --python $(VENV)/bin/python --no-deps --no-build-isolation -e .; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(VENV)/bin/python -m pip install --quiet --require-hashes -r requirements.lock && \
	  $(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .; \
	fi
	@touch $@

repro: $(STAMP)  ## Run the whole pipeline (sample data at first) and say where the report is
	@test -d .dvc || { echo "not a checkout: .dvc is missing; clone the repository with git"; exit 2; }
	@python -m pipeline.dvc_lock
	dvc repro
	@echo "report: $(CURDIR)/outputs/report/report.html"

test: $(STAMP)  ## Lint, type-check and run every test
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	python -m pytest -n auto --maxprocesses 4 --dist loadscope

lint: $(STAMP)  ## Lint and type-check only
	ruff check . && ruff format --check . && mypy && lint-imports

format: $(STAMP)  ## Format the code
	ruff format . && ruff check --fix .

params: $(STAMP)  ## Write params.yaml as conf/ composes to
	python -m pipeline.config.write

lock:  ## Resolve requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet --upgrade -o requirements.lock

clean:  ## Remove outputs and caches, keep the environment
	rm -rf outputs .pytest_cache .mypy_cache .ruff_cache
