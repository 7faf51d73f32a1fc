# Every target sets up what it needs: only Python 3.11 or newer, git and make have to be there.
# `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench dev format lock clean

PYTHON ?= python3
ARGS ?=
# Two processes: one for the tests that need the machine for themselves, one for the others (tests/conftest.py).
PROCESSES ?= 2
ONCE ?=
BIN := .venv/bin
READY := .venv/.ready
# A published version must have been seen by others for a week before we lock it.
LOCK_AGE := 7 days
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --exclude-newer "$(LOCK_AGE)" --python-version 3.11

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## Install everything into .venv, by hash

demo: $(READY) ## Start everything with three tenants and tell what happens (ONCE=1: vote by itself and exit; ARGS=…)
	@exec $(BIN)/countersign demo $(if $(ONCE),--once) $(ARGS)

test: $(READY) ## Run all tests (ARGS='tests/domain -k refund')
	@exec $(BIN)/python -m pytest --numprocesses $(PROCESSES) $(ARGS)

check: $(READY) ## Formatting, lint, types, import contracts, policies, documents, command fingerprints of workflows, compose file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	@if [ -f cli/policy.py ]; then set -x; $(BIN)/countersign policy test --require-coverage; fi
	$(BIN)/python -m pytest -q tests/docs tests/deploy/test_compose.py tests/replay/test_golden_histories.py

bench: $(READY) ## Print what a ticket costs, as ratios to a no-op workflow
	@exec $(BIN)/python -m bench $(ARGS)

dev: $(READY) ## Start everything and restart our processes when their code changes
	@exec $(BIN)/countersign up --emulators --reload $(ARGS)

format: $(READY) ## Put code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(READY) ## Pin the newest versions that are a week old
	echo uv | $(COMPILE) --no-annotate - --output-file requirements/bootstrap.lock --upgrade
	$(COMPILE) pyproject.toml --output-file requirements/run.lock --upgrade
	$(COMPILE) pyproject.toml --extra embedded --group dev --constraint requirements/run.lock \
		--output-file requirements/dev.lock --upgrade
	$(patsubst 3.11,3.14,$(COMPILE)) --no-annotate requirements/oracle.in --output-file requirements/oracle.lock --upgrade
	echo hatchling | $(COMPILE) --no-annotate --constraint requirements/dev.lock - \
		--output-file requirements/build.lock --upgrade

clean: ## Remove the environment and caches; the state in COUNTERSIGN_HOME stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is made last, so an interrupted set-up is repeated; once made, nothing asks the network again.
$(READY): requirements/bootstrap.lock requirements/dev.lock requirements/oracle.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@echo "Setting up .venv (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@bash requirements/install.sh
	@touch $@
