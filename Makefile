# Short names for the commands of hatch.toml. Needs make and Python 3.11 or newer; the rest is fetched.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup hello shell test lint format types bench chaos soak temporal vault versitygw clean

# Everything that is made lies inside the clone.
export HATCH_DATA_DIR := $(CURDIR)/.hatch/data
export HATCH_CACHE_DIR := $(CURDIR)/.hatch/cache
# A company's network may have certificates of its own; uv asks for those of the system only when told to.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS ?= true
endif
# An environment that the caller is in must not be taken for ours.
unexport HATCH_ENV HATCH_ENV_ACTIVE HATCH_PYTHON VIRTUAL_ENV PYTHONPATH PYTHONHOME

PYTHON ?=
# `make test CHECKS="lint agent"` runs only these.
CHECKS ?=
# `make bench BENCHMARKS="parse"` runs only this.
BENCHMARKS ?=
# `make chaos CHAOS="--seed 17"` runs only this seed.
CHAOS ?=
# `make soak SOAK="logs --lines 100000"` runs only this proof, with fewer lines.
SOAK ?=
HATCH := .venv/bin/hatch
ENVIRONMENTS := default test bench lint types \
  isolated-agent isolated-cli isolated-dsl isolated-nodes-core isolated-sdk isolated-server

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/ready: tools/bootstrap.sh tools/requirements.txt
	@PYTHON="$(PYTHON)" tools/bootstrap.sh

setup: .venv/ready ## Make every development environment
	@for environment in $(ENVIRONMENTS); do $(HATCH) env create $$environment || exit 1; done

hello: .venv/ready ## Run the inspection example on three local agents
	@$(HATCH) run hello

shell: .venv/ready ## Open a shell in which the command waterflow is there
	@$(HATCH) shell

test: .venv/ready ## Check style and types, and run all tests
	@.venv/bin/python tools/checks.py $(CHECKS)

lint: .venv/ready ## Check style
	@$(HATCH) run lint:check

format: .venv/ready ## Put the code in style
	@$(HATCH) run lint:fix

types: .venv/ready ## Check types, strictly
	@$(HATCH) run types:check

bench: .venv/ready ## Run the benchmarks and print their ratios
	@$(HATCH) run bench:bench $(BENCHMARKS)

chaos: .venv/ready ## Kill everything at random while fifty generated runs go
	@WATERFLOW_TEMPORAL_BINARY="$$($(HATCH) run temporal | tail -n 1)" $(HATCH) run test:chaos $(CHAOS)

soak: .venv/ready ## Run the proofs in their long form: a million log lines, chaos, sizes
	@WATERFLOW_TEMPORAL_BINARY="$$($(HATCH) run temporal | tail -n 1)" $(HATCH) run test:soak $(SOAK)

temporal: .venv/ready ## Find or fetch the Temporal CLI and print its path
	@$(HATCH) run temporal

vault: .venv/ready ## Find or build the Vault of the tests and print its path
	@$(HATCH) run vault

versitygw: .venv/ready ## Find or build the S3-compatible server of the tests and print its path
	@$(HATCH) run versitygw

clean: ## Remove all that make has made here
	rm -rf .venv .hatch .pytest_cache .ruff_cache .hypothesis dist
