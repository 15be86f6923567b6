# Two commands matter: `make lab` opens the course, `make test` checks all of it. Each sets up what it needs.
#
# PYTHON     an interpreter of version 3.11, 3.12 or 3.13 (found by itself if not given)
# LAB_ARGS   passed to JupyterLab: make lab LAB_ARGS="--no-browser --port 8890"
# CHAPTER    the chapter to present: make lecture CHAPTER=06 (all if not given)

VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
READY := $(VENV)/ready
RIGHT_VERSION := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 python; do \
	"$$each" -c "$(RIGHT_VERSION)" >/dev/null 2>&1 && echo "$$each" && break; done)
export JUPYTER_PLATFORM_DIRS := 1

.PHONY: lab lecture site test notebooks bench check clean

lab: $(READY)  ## open JupyterLab on the first chapter
	$(BIN)/jupyter lab --ServerApp.root_dir=notebooks --LabApp.default_url=/lab/tree/00_start_here.ipynb $(LAB_ARGS)

lecture: $(READY)  ## slides with live widgets, and JupyterLab beside them: make lecture CHAPTER=06
	$(BIN)/python -m mtl_helpers.lecture $(CHAPTER) $(LAB_ARGS)

site: $(READY)  ## the chapters as a web site that needs no network: build/site/index.html
	$(BIN)/python -m mtl_helpers.site $(SITE)

test: $(READY)  ## style, types, unit tests, every notebook, browser tests
	$(BIN)/python tests/run.py

check: $(READY)  ## say whether this computer can run the course
	$(BIN)/python -m mtl_helpers.check

notebooks: $(READY)  ## run the text sources into the notebooks, outputs included
	$(BIN)/python -m mtl_helpers.notebooks $(NOTEBOOKS)

bench: $(READY)  ## measure speed, and what each chapter takes, and write data/results/
	$(BIN)/python -m mtl_helpers.bench
	$(BIN)/python -m mtl_helpers.bench.hub

# Set-up happens once, and again when what is pinned changes.
$(READY): requirements.lock pyproject.toml
ifeq ($(PYTHON),)
	@echo "No Python 3.11, 3.12 or 3.13 found (TensorFlow has no build for others). Install one, or: make PYTHON=/path/to/it" && exit 1
endif
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@echo "JupyterLab will not ask about news nor look for updates in the network."
	@$(BIN)/jupyter labextension disable "@jupyterlab/apputils-extension:announcements" >/dev/null
	@echo ready > $(READY)

clean:  ## remove the environment
	rm -rf $(VENV)
