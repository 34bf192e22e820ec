# `make run` starts the server, `make test` proves it, `make check` judges the code. Nothing but Python is needed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test check bench screenshots venv dev services

PYTHON ?= python3
BIN := .venv/bin
# Tests on PostgreSQL make databases of their own beside the one named here.
export TEST_DATABASE_URL_POSTGRESQL ?= postgresql://postgres@127.0.0.1:5432/postgres
JOBS ?= 2

help:  ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

run: .venv/requirements.stamp  ## install what is missing and start the server; Ctrl-C stops it
	@exec $(BIN)/python manage.py serve --allow-loopback-webhooks

check: .venv/requirements-dev.stamp  ## format, lint, types, imports, templates, deployment, migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --check --quiet
	$(BIN)/djlint templates --lint --quiet
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; mkdir "$$folder/static"; \
	export DATA_DIR="$$folder" PUBLIC_URL=https://automations.example.com; \
	set -x; \
	$(BIN)/python -W error manage.py check --deploy --fail-level WARNING; \
	$(BIN)/python manage.py makemigrations --check --dry-run; \
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

test: .venv/requirements-dev.stamp services  ## run every test, on SQLite and on PostgreSQL
	$(BIN)/pytest -n $(JOBS) --dist worksteal
	@if $(BIN)/python tests/services.py postgresql "$$TEST_DATABASE_URL_POSTGRESQL"; then \
		TEST_DATABASE_URL="$$TEST_DATABASE_URL_POSTGRESQL" $(BIN)/pytest -n $(JOBS) --dist worksteal -m "not browser"; \
	else \
		echo "PostgreSQL was not tested."; [ "$${CI:-}" != true ]; \
	fi

bench: .venv/requirements-dev.stamp  ## measure logging, matching and delivery (QUICK=1: a round of little); see benchmarks/README.md
	$(BIN)/python -m benchmarks.metrics $(if $(QUICK),--rounds 1)
	$(BIN)/python -m benchmarks.matching $(if $(QUICK),--rounds 1)
	$(BIN)/python -m benchmarks.delivery $(if $(QUICK),--quick)

screenshots: .venv/requirements-dev.stamp services  ## take the pictures of docs/gallery.md
	$(BIN)/pytest -q tests/browser/gallery.py

services:  # Chromium, PostgreSQL and Redis for the tests: installed and started where this user may
	@tests/services.sh

venv: .venv/requirements.stamp  ## install what the server needs
dev: .venv/requirements-dev.stamp  ## install what tests and checks need, too

# A stamp is newer than the requirements it installed; the virtual environment is made once.
.venv/requirements.stamp: requirements.txt | .venv/bin/pip
	@echo "Installing what the server needs (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

.venv/requirements-dev.stamp: requirements.txt requirements-dev.txt | .venv/bin/pip
	@echo "Installing what tests and checks need (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch .venv/requirements.stamp $@

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed. Install it (on Debian: apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make virtual environments. On Debian: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv --clear .venv
