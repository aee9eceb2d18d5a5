# Everything a person or CI runs. `make help` explains each target.

# The first Python that is new enough; name another one with `make run PYTHON=/path/to/python`.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$name; break; fi; done)
BIN := .venv/bin
# Test processes at once; more than the cores of the machine only slows them down.
JOBS ?= 2
# The least branch coverage, in per cent, of what must not break: the ground modules and the registry of tenants.
COVER_CORE ?= 95

.DEFAULT_GOAL := help
.PHONY: help python setup setup-dev run test lint types unit coverage browser bench format requirements messages clean

help: ## Explain the targets
	@echo "Kehu: make <target>"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile
	@echo "Settings: KEHU_PORT, KEHU_VAR, KEHU_DATABASE_URL and more, see docs/operating.md"

python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python 3.11 or later was found. Install one (Debian: apt-get install python3 python3-venv)," >&2; \
		echo "or name it: make run PYTHON=/path/to/python3.11" >&2; exit 1; fi

setup: python ## Set up what running needs: packages, texts, browser files
	@$(PYTHON) platform/kehu/dev/bootstrap.py

setup-dev: python ## Set up what tests and checks need as well
	@$(PYTHON) platform/kehu/dev/bootstrap.py --dev

run: setup ## Run Kehu with a demo firm on http://localhost:8000 until Ctrl-C
	@$(BIN)/python -m kehu.dev.run

test: setup-dev lint types unit coverage browser ## Run all checks and tests, as CI does

lint: setup-dev ## Check format, style and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: setup-dev ## Check types
	$(BIN)/mypy

unit: setup-dev ## Run unit, contract and functional tests, with coverage
	@rm -f .coverage .coverage.*
	$(BIN)/pytest tests/unit tests/contract tests/functional -n $(JOBS) --dist loadfile -q \
		--cov --cov-report=

coverage: ## Report coverage of the last `make unit`; fails when the ground modules fall below the floor
	@echo "Coverage of everything: $$($(BIN)/coverage report --format=total --precision=1) %"
	$(BIN)/coverage report --include='platform/kehu/core/*,tenants/*' --precision=1 --fail-under=$(COVER_CORE)

browser: setup-dev ## Run the journeys in headless Chromium
	@$(BIN)/python -m kehu.dev.chromium
	$(BIN)/pytest tests/browser -n $(JOBS) --dist loadfile -q

bench: setup-dev ## Measure the requests of README's table against bare floors
	$(BIN)/python -m bench

format: setup-dev ## Bring the sources into one format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

COMPILE := CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/pip-compile --quiet --generate-hashes --strip-extras \
	--allow-unsafe --no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

requirements: setup-dev ## Compile requirements/*.txt from setup.cfg; UPGRADE=1 takes the newest versions
	$(COMPILE) $(if $(UPGRADE),--upgrade) -o requirements/build.txt requirements/build.in
	$(COMPILE) $(if $(UPGRADE),--upgrade) -o requirements/runtime.txt setup.cfg
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev --extra test -c requirements/runtime.txt \
		-o requirements/dev.txt setup.cfg

messages: setup-dev ## Collect the texts, update the catalogues of all languages and compile them
	$(BIN)/python -m kehu.dev.messages update

clean: ## Remove what set-up and tools made; var/ with the data stays
	rm -rf .venv build dist *.egg-info node_modules platform/kehu/web/static/dist .mypy_cache .ruff_cache \
		.pytest_cache .import_linter_cache .coverage .coverage.* htmlcov
	find platform tenants plugins plugins_builtin billing migrations tests bench \
		\( -name __pycache__ -o -name '*.mo' \) -prune -exec rm -rf {} + 2>/dev/null || true
