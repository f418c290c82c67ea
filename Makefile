# Bare `make` explains itself. Everything lives in .venv and var/; no root, Docker or Node is needed.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
# The first interpreter that TensorFlow has wheels for; `make PYTHON=/path/to/python3.12 …` chooses another.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo "$$p" && break; done)
# TensorFlow's native log lines hide what a person wants to read; its errors are raised as well.
export TF_CPP_MIN_LOG_LEVEL ?= 3
DATA ?= data/books.csv
EXTRA ?=
CONFIG ?= training/config.json
WORKDIR ?=
PUBLISH ?=
FAULTS ?= 200
CATALOGUES ?= 10000
ROWS ?= 20000
ROUNDS ?= 3
# Ray Data and BentoML, which `make bench` compares with, in an environment of their own.
BENCH := var/bench
# Bills of materials of the sets that run or train, and in `tools` the program that writes them.
SBOM := var/sbom
# MkDocs, which builds the documentation's site, in an environment of its own.
DOCS := var/docs
SHIPPED := laptop api worker serving training
PIP := $(PY) -m pip install --disable-pip-version-check --no-input --progress-bar off --require-hashes
# Package names as pip fetches them, and the two steps that take long without printing anything.
PIP_PROGRESS := while read -r first second _; do case "$$first $$second" in \
	Collecting\ *) echo "  fetching $$second";; \
	"Installing collected") echo "  unpacking all of them (a minute or two)";; esac; done

.PHONY: help demo up test test-all coverage check format docs train quality bench scale chaos fuzz compose-test clean requirements sbom build pin-images

help: ## show this list
	@echo "Spinelabel: genres for a whole catalogue of books"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'
	@echo
	@echo "Start with: make demo"

demo: $(VENV)/.laptop.stamp ## label the sample catalogue on this machine, start to finish
	@$(VENV)/bin/spinelabel demo

up: $(VENV)/.laptop.stamp ## run the whole stack here, http://127.0.0.1:8000, until Ctrl-C
	@$(VENV)/bin/spinelabel up

test: $(VENV)/.dev.stamp ## unit and contract tests and one end-to-end pass
	@$(PY) -m pytest -m "not slow"
	@echo "make test-all adds: faults and fuzzing, slow clients, the page in a browser, training, model"
	@echo "servers, large inputs, and every command in the documentation (half an hour)"

test-all: $(VENV)/.dev.stamp ## all tests but those in containers (make compose-test)
	@$(PY) -m pytest

coverage: $(VENV)/.dev.stamp ## line and branch coverage of `make test`, with a floor
	@mkdir -p var/coverage && rm -f var/coverage/data*
	@$(PY) -m coverage run -m pytest -q -m "not slow"
	@$(PY) -m coverage combine -q
	@$(PY) -m coverage report

check: $(VENV)/.dev.stamp ## lint, format, types and the fences between the rooms
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy .
	@$(VENV)/bin/lint-imports

format: $(VENV)/.dev.stamp ## format the code
	@$(PY) -m ruff check --fix --quiet .
	@$(PY) -m ruff format --quiet .

docs: $(DOCS)/.stamp ## build the documentation as a site: var/site/index.html
	@NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/python -m mkdocs build --strict
	@echo var/site/index.html

train: $(VENV)/.dev.stamp ## train: DATA=books.csv [EXTRA=texts.csv] [CONFIG=config.json] [WORKDIR=runs/x] [PUBLISH=serving/models/genre]
	@$(PY) -m training.train --data "$(DATA)" --config "$(CONFIG)" $(if $(EXTRA),--extra "$(EXTRA)") $(if $(WORKDIR),--workdir "$(WORKDIR)") $(if $(PUBLISH),--publish "$(PUBLISH)")

quality: $(VENV)/.dev.stamp ## every architecture and the baselines on the same folds, as a table
	@$(PY) -m training.compare --data "$(DATA)" --config "$(CONFIG)" $(if $(EXTRA),--extra "$(EXTRA)")

bench: $(VENV)/.dev.stamp $(BENCH)/.stamp ## speed beside a script, Ray Data, BentoML and the roofline: ROWS=20000 ROUNDS=3
	@$(PY) -m benchmarks.speed --rows $(ROWS) --rounds $(ROUNDS) --bench-python $(BENCH)/bin/python

scale: $(VENV)/.dev.stamp ## a million rows, 2 GB, 200 polls a second, 1,000 jobs: ARGS='--rows 100000' for less
	@$(PY) -m benchmarks.scale $(ARGS)

chaos: $(VENV)/.dev.stamp ## kill, stop and starve every process while jobs run: FAULTS=200
	@$(PY) -m benchmarks.chaos --faults $(FAULTS)

fuzz: $(VENV)/.dev.stamp ## upload hostile catalogues: CATALOGUES=10000
	@$(PY) -m benchmarks.fuzz --catalogues $(CATALOGUES)

compose-test: $(VENV)/.dev.stamp ## build the images and disturb the stack in containers (Docker, or root on Debian)
	@deploy/compose_test/install_engine.sh
	@SPINELABEL_COMPOSE_TEST=1 $(PY) -m pytest tests/compose

sbom: $(VENV)/.dev.stamp $(SBOM)/tools/.stamp ## bills of materials (CycloneDX) and licences of every pinned package: var/sbom
	@for set in $(SHIPPED); do \
	  PYTHONWARNINGS=ignore $(SBOM)/tools/bin/cyclonedx-py requirements requirements/$$set.txt \
	    --pyproject pyproject.toml --output-reproducible --output-file $(SBOM)/$$set.cdx.json; done
	@$(PY) -m tools.licences $(SHIPPED:%=$(SBOM)/%.cdx.json) > $(SBOM)/licences.md
	@ls $(SBOM)/*.json $(SBOM)/*.md

build: $(VENV)/.dev.stamp ## the wheel of the client and the command line: dist/spinelabel-*.whl
	@rm -rf build dist
	@$(PY) -m pip wheel --disable-pip-version-check --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@rm -rf build && ls dist/*.whl

pin-images: ## write the digests of the images that others publish into docker-compose.yml (Docker, a way to the registries)
	@deploy/pin_images.sh

clean: ## remove what the other targets made (.venv, var, runs, caches)
	rm -rf $(VENV) var runs build dist *.egg-info .pytest_cache .schemathesis .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

requirements: $(VENV)/.dev.stamp ## compile requirements/*.in to pinned, hashed *.txt
	@$(PY) -m pip install --quiet uv
	@cd requirements && for set in dev laptop api worker serving training bench sbom docs; do \
	  echo "compiling $$set"; \
	  ../$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate $$set.in $$([ $$set = dev ] || echo "-c dev.txt") -o $$set.txt; done

$(VENV)/.made.stamp:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; install one, or: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { echo "This Python cannot make virtual environments; on Debian: apt install python3-venv"; rm -rf $(VENV); exit 1; }
	@touch $@

# An editable install of the project itself; setuptools comes from the hashed set, so nothing is fetched unpinned.
define install
	@echo "Installing $(1) (a few minutes the first time; TensorFlow is large)"
	@$(PIP) -r requirements/$(1).txt | $(PIP_PROGRESS)
	@echo "  installing spinelabel from this checkout"
	@$(PY) -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@
endef

$(VENV)/.laptop.stamp: requirements/laptop.txt pyproject.toml | $(VENV)/.made.stamp
	$(call install,laptop)

$(VENV)/.dev.stamp: requirements/dev.txt pyproject.toml | $(VENV)/.made.stamp
	$(call install,dev)
	@touch $(VENV)/.laptop.stamp

$(BENCH)/.stamp: requirements/bench.txt
	@echo "Installing what the benchmark compares with (some minutes the first time)"
	@mkdir -p var && $(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --disable-pip-version-check --no-input --quiet --require-hashes -r $<
	@touch $@

$(SBOM)/tools/.stamp: requirements/sbom.txt
	@mkdir -p $(SBOM) && $(PYTHON) -m venv $(SBOM)/tools
	@$(SBOM)/tools/bin/python -m pip install --disable-pip-version-check --no-input --quiet --require-hashes -r $<
	@touch $@

$(DOCS)/.stamp: requirements/docs.txt
	@mkdir -p var && $(PYTHON) -m venv $(DOCS)
	@$(DOCS)/bin/python -m pip install --disable-pip-version-check --no-input --quiet --require-hashes -r $<
	@touch $@
