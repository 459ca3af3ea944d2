# Kofu: two commands matter, `make demo` and `make test`; `make help` lists all.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# Variables of `make demo`
ONCE ?=
PERSONA ?= shimonoseki-taro
PIN ?=
KIND ?=
WIRE ?= none
CARD ?=
MEMBERS ?=
ifdef KOFU_NOW
export KOFU_NOW
endif
# Compiled modules make each of a dozen processes start in half the time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-test demo test lint campaign bench bench-peers clean lock

help: ## list what can be made
	@echo "Kofu — from card to paper. Targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'
	@echo "make demo takes: ONCE=1 PERSONA=id PIN=1234 KIND=residence-certificate"
	@echo "                 WIRE=none|isdn CARD=pcscd|in-process MEMBERS=self|all"
	@echo "                 KOFU_NOW=2017-08-15T10:00+09:00"

setup: .venv/.ready-to-run ## install what running needs (Debian packages, Python, npm)

setup-test: setup .venv/.ready-to-test ## and what testing needs

demo: setup ## serve one resident, card to paper; ONCE=1 ends afterwards
	@$(BIN)/python deploy/demo.py $(if $(ONCE),--once) --persona '$(PERSONA)' --wire '$(WIRE)' \
		$(if $(PIN),--pin '$(PIN)') $(if $(KIND),--kind '$(KIND)') $(if $(CARD),--card '$(CARD)') \
		$(if $(MEMBERS),--members '$(MEMBERS)')

test: setup-test lint ## lint, then every kind of test with small counts (ten minutes at most)
	@PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python -m pytest -n 2 --dist loadgroup -q

lint: setup-test ## ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

campaign: setup-test ## the full counts, resumable; results in docs/results/
	@PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python tests/campaign/run.py

bench: setup-test ## measure: the card, issuances a second, PIN to paper
	@PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python benchmarks/card.py
	@PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python benchmarks/issuance.py

bench-peers: setup-test ## the same beside django-ca, in an environment of its own
	@PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python benchmarks/peers.py

lock: ## make the lock files anew from requirements/*.in
	@deploy/lock.sh

clean: ## remove what was installed and made here (not the Debian packages)
	rm -rf .venv node_modules var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/uv: deploy/packages.txt deploy/install-packages.sh requirements/bootstrap.lock
	@deploy/install-packages.sh deploy/packages.txt
	@echo "making the Python environment"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Kofu needs Python 3.11 or newer")'
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@touch $@

.venv/.ready-to-run: .venv/bin/uv requirements/requirements.lock package.json package-lock.json pyproject.toml
	@$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements/requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@npm ci --silent
	@touch $@

.venv/.ready-to-test: .venv/.ready-to-run deploy/packages-test.txt requirements/requirements-dev.lock
	@deploy/install-packages.sh deploy/packages-test.txt
	@$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements/requirements-dev.lock
	@touch $@
