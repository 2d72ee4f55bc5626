# Two commands matter: `make run` and `make test`.  Both set up everything they need.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
NPM := $(BIN)/python hatch_build.py npm
DATA ?= tocsin-data
PORT ?= 8080

.PHONY: help run test check format bench soak web lock clean quick
help: ## say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

# --- setting up -------------------------------------------------------------------------------
$(VENV)/made: 
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Tocsin needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "venv is missing; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/run: $(VENV)/made requirements/run.txt requirements/tools.txt pyproject.toml
	@echo "installing what Tocsin needs ..."
	@$(PIP) install -q --require-hashes -r requirements/run.txt -r requirements/tools.txt
	@$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: $(VENV)/run requirements/dev.txt
	@echo "installing what the tests need ..."
	@$(PIP) install -q --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/brokers: $(VENV)/dev requirements/brokers.txt | packages
	@echo "installing what the tests of brokers need ..."
	@$(PIP) install -q --require-hashes -r requirements/brokers.txt
	@touch $@

$(VENV)/bench: $(VENV)/dev requirements/bench.txt
	@echo "installing what the bench needs ..."
	@$(PIP) install -q --require-hashes -r requirements/bench.txt
	@touch $@

web: $(VENV)/run ## build the web client (only if it changed)
	@$(BIN)/python hatch_build.py

# --- running ----------------------------------------------------------------------------------
run: web ## start Tocsin with the demo page on http://127.0.0.1:8080
	@$(BIN)/tocsin --data-dir $(DATA) serve --port $(PORT) --demo

# --- checking ---------------------------------------------------------------------------------
web/node_modules/made: web/package-lock.json $(VENV)/run
	@$(NPM) ci --no-audit --no-fund
	@touch $@

check: $(VENV)/dev web/node_modules/made ## format, lint, imports, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(NPM) run check

format: $(VENV)/dev ## put the code into its form
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

.PHONY: packages webtest
packages: $(VENV)/made
	@tests/install_packages $(BIN)/python

webtest: web web/node_modules/made
	$(NPM) test
	$(NPM) run build:bridge

test: packages check webtest $(VENV)/brokers ## every check and every test
	$(BIN)/python -m pytest -n auto --dist loadfile

quick: $(VENV)/dev ## the tests that need neither browser nor server processes of ours
	@tests/install_packages $(BIN)/python postgresql
	$(BIN)/python -m pytest -n auto --dist loadfile tests/unit tests/ports tests/wire

soak: $(VENV)/brokers webtest ## long runs: tens of thousands of histories
	$(BIN)/python -m pytest -m soak -o timeout=0 tests

.PHONY: peers bench-peers
peers: $(VENV)/bench
	@bench/install $(CURDIR)/$(BIN)/python

bench: web peers ## measure, beside controls and peers; writes bench/RESULTS.md
	$(BIN)/python -m bench

bench-peers: web peers ## measure only beside peers
	$(BIN)/python -m bench peers storm

lock: $(VENV)/run ## pin all dependencies again
	@for part in "pyproject.toml -o requirements/run.txt" \
	  "pyproject.toml --all-extras requirements/dev.in -o requirements/dev.txt" \
	  "pyproject.toml --all-extras -c requirements/dev.txt -o requirements/image.txt" \
	  "-c requirements/dev.txt requirements/brokers.in -o requirements/brokers.txt" \
	  "-c requirements/dev.txt requirements/bench.in -o requirements/bench.txt" \
	  "requirements/tools.in -o requirements/tools.txt"; do \
	  $(BIN)/uv pip compile -q --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --python-version 3.11 --custom-compile-command "make lock" $$part; done

clean: ## remove what was built (not the data)
	rm -rf $(VENV) web/node_modules web/dist web/dist-test src/tocsin/web build dist bench/.cache bench/contestants/node/node_modules
