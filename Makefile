# Anfang 安房. `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: wheel help setup packages model peers web web-test client schemas check lint types arch docs docs-check test test-unit demo demo-check bench lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which with PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "venv is missing: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

setup: $(STAMP) ## make .venv with the locked dependencies

packages: ## install the Debian packages that the tests use (root or sudo)
	@.ci/packages

model: $(STAMP) ## fetch and convert the person detector (cached in build/model)
	@$(BIN)/python -m edge_agent.counting.build_model

peers: build/osdp-peer/.installed ## install the second implementations that the tests speak with

build/osdp-peer/.installed: tests/peers/requirements-osdp.txt
	@$(PYTHON) -m venv build/osdp-peer
	@build/osdp-peer/bin/python -m pip install --quiet --require-hashes -r tests/peers/requirements-osdp.txt
	@touch $@

web: $(STAMP) ## build the managers' web pages
	@.ci/web

web-test: $(STAMP) ## component tests of the web pages
	@.ci/web test

client: $(STAMP) ## write the web pages' client from the API's OpenAPI document
	@$(BIN)/python -m hub.api.openapi
	@.ci/web client

schemas: $(STAMP) ## write the generated JSON Schemas, tables and migration
	@$(BIN)/python -m wire.json_schema
	@$(BIN)/python -m firmware_profiles.json_schema
	@$(BIN)/python -m edge_agent.device_table
	@$(BIN)/python -m hub.store.migrations.regenerate

check: lint types arch docs-check ## lint, types, import rules, generated files

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

arch: $(STAMP)
	PYTHONPATH=. $(BIN)/lint-imports

docs-check: $(STAMP)
	$(BIN)/python -m hub.api.openapi --check
	$(BIN)/python -m wire.json_schema --check
	$(BIN)/python -m firmware_profiles.json_schema --check
	$(BIN)/python -m edge_agent.device_table --check
	$(BIN)/python -m hub.store.migrations.regenerate --check
	$(BIN)/python docs/tools/cli_reference.py --check
	$(BIN)/python docs/tools/alert_reference.py --check
	$(BIN)/python docs/tools/retention_reference.py --check
	$(BIN)/python docs/tools/wire_reference.py --check
	$(BIN)/python docs/tools/check_docs.py

docs: $(STAMP) ## write the generated pages of docs/
	@$(BIN)/python docs/tools/cli_reference.py
	@$(BIN)/python docs/tools/alert_reference.py
	@$(BIN)/python docs/tools/retention_reference.py
	@$(BIN)/python docs/tools/wire_reference.py

test-unit: $(STAMP) ## the tests that need no service (seconds)
	$(BIN)/pytest -m "not integration and not slow" -n auto

test: setup packages model web web-test peers ## all tests, with real brokers, databases and devices
	$(BIN)/pytest -n 2 --dist loadgroup --ignore tests/e2e
	@# In a process of its own: the browser's library keeps an event loop running in the thread of its tests.
	$(BIN)/pytest tests/e2e

demo: setup model web ## everything at once, on simulated devices
	$(BIN)/anfang-sim demo

demo-check: setup model web ## the demo without a screen, checked through the public API
	$(BIN)/anfang-sim demo --check

bench: setup ## measure against raw limits and peers
	$(BIN)/python bench/ingest.py

wheel: setup model web ## one wheel with the web pages and the detector inside, in dist/
	@mkdir -p edge_agent/counting/model && cp build/model/*.onnx build/model/SHA256SUMS edge_agent/counting/model/
	$(BIN)/python -m hatchling build -t wheel
	@rm -rf edge_agent/counting/model

lock: ## resolve the dependencies again
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 --all-extras pyproject.toml -o requirements.lock

clean: ## remove what was built
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache hub/web/dist
