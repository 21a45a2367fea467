# Two commands for a newcomer: `make demo` and `make test`. Nothing but Python 3.11-3.13 is needed;
# with Node the tests also run on Anvil and recompile the contracts.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
NPM    := $(shell command -v npm 2>/dev/null)
OUT    ?= out/demo
PACKAGES := contracts devices hems aggregator scenarios

.PHONY: demo test check fix contracts slither clean

demo: $(VENV)/.demo
	@$(BIN)/gridpact demo --out $(OUT)

test: $(VENV)/.dev $(if $(NPM),node_modules/.installed)
	@$(if $(NPM),,echo "npm not found: the tests on Anvil and of the compiler are left out")
	@# most tests wait for sockets, nodes and clocks: two processes a core
	$(BIN)/python -m pytest -n 4 --dist loadgroup $(TESTARGS)

check: $(VENV)/.dev $(if $(NPM),node_modules/.installed)
	$(BIN)/ruff format --check $(PACKAGES) tests
	$(BIN)/ruff check $(PACKAGES) tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(NPM),FOUNDRY_CONFIG=tests/foundry/foundry.toml node_modules/.bin/forge fmt --check tests/foundry)

fix: $(VENV)/.dev
	$(BIN)/ruff format $(PACKAGES) tests
	$(BIN)/ruff check --fix $(PACKAGES) tests

# Recompile the Solidity sources into contracts/artifacts (committed, so that users need no compiler).
contracts: $(VENV)/.dev node_modules/.installed
	$(BIN)/python -m contracts.compile

# Slither wants an older web3 than ours, so it has an environment of its own.
slither: $(VENV)/slither/.installed

$(VENV)/slither/.installed: $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/slither
	$(VENV)/slither/bin/python -m pip install --quiet slither-analyzer==0.11.6
	@touch $@

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[aggregator]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.demo

node_modules/.installed: package.json package-lock.json
	npm ci --silent
	@touch $@

clean:
	rm -rf $(VENV) node_modules out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
