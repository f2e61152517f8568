# Qingxu 清序. `make` alone says what there is.

PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-package opencv-python pyproject.toml
# Exactly what the lock names, checked by its hashes; nothing is resolved on the way.
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes --compile-bytecode

export QINGXU_MODE ?= demo

.PHONY: help run test lint format browser bench lock clean

help: ## what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 14

run: .venv/.run ## start everything on this machine, with a demo district; Ctrl-C stops it
	@exec $(BIN)/python -m backend run

test: .venv/.dev browser lint ## install what is needed, then check and test everything
	$(BIN)/python -m pytest -n 2

lint: .venv/.dev ## style, types and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.dev ## put the code into its one style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

browser: # a real browser for the tests, where it may be installed
	@.ci/browser

bench: .venv/.dev ## measure, and print the ratios
	$(BIN)/python -m tests.benchmarks

lock: .venv/.uv ## choose versions anew within pyproject.toml and write them down with their hashes
	$(LOCK) --all-extras $(UPGRADE) -o requirements-dev.lock
	$(LOCK) --extra vision --extra demo --extra report $(UPGRADE) -c requirements-dev.lock -o requirements.lock

clean: ## remove what was installed and cached; the data folder stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info

.venv/.uv: Makefile
	@PYTHON="$(PYTHON)" .ci/venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@touch $@

.venv/.run: requirements.lock .venv/.uv
	@echo "Installing packages (once; again when requirements.lock changes) ..."
	@$(INSTALL) -r requirements.lock
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.run
	@echo "Installing packages for tests and checks ..."
	@$(INSTALL) -r requirements-dev.lock
	@touch $@
