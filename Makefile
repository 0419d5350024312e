# Needs make and Python 3.11 or newer; everything else goes into .venv.
#
#   make demo    recover the parameters of a NIST reference problem from embedded data
#   make test    run the tests
#   make help    the rest

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Tests run in this many processes, a file at a time, because what a file prepares and compiles serves all of it.
# Linear algebra then stays on one thread a process, or the processes fight over the cores. Most of their time goes into
# compiling: XLA's older way to write loops takes two thirds of the time, and without optimising it takes half of that
# where functions are large; the code is slower, but most of it runs once.
JOBS ?= 2
TESTS ?=

# Where compiled code is kept between runs.
export JAX_COMPILATION_CACHE_DIR ?= $(CURDIR)/.cache/jax

.DEFAULT_GOAL := help
.PHONY: help demo test lint format types docs pictures api wheel bench constraints clean

help:
	@echo "make demo          install, run the main job on embedded data, say where the report is"
	@echo "make test          run the tests             (TESTS=tests/geometry for some, JOBS=4 for more processes)"
	@echo "make lint          ruff: rules and format    (make format mends what can be mended)"
	@echo "make types         pyright on src"
	@echo "make docs          build the documentation into site/"
	@echo "make pictures      the figures of the studies' pages anew, at quick effort, about an hour"
	@echo "make api           list the public names anew, where they changed on purpose"
	@echo "make wheel         build dist/*.whl, install it in an empty environment and run the demo there"
	@echo "make bench         the benchmarks in their short form, written to docs/benchmarks-short.md"
	@echo "make constraints   pin anew the versions that these commands install"
	@echo "make clean         remove caches and what was built (not .venv, not runs)"

demo: $(VENV)/installed-base
	@OPENBLAS_NUM_THREADS=1 $(BIN)/lawful run misra --out runs/misra
	@echo "The report: $(CURDIR)/runs/misra/report.html"

test: $(VENV)/installed-dev
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 XLA_FLAGS="$$XLA_FLAGS --xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=0" \
	  $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations=20 $(TESTS)

lint: $(VENV)/installed-dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

format: $(VENV)/installed-dev
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

types: $(VENV)/installed-dev
	@$(BIN)/pyright

docs: $(VENV)/installed-docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The pages: $(CURDIR)/site/index.html"

pictures: $(VENV)/installed-dev
	@$(BIN)/python docs/pictures.py --effort quick

api: $(VENV)/installed-dev
	@$(BIN)/python tests/public_api.py
	@echo "Written: tests/public_api.txt. Tell in CHANGELOG.md what has changed."

# What users get: the wheel alone, in an empty environment, outside the sources. Every file of the package must be in it.
WHEEL := .cache/wheel
wheel: | $(VENV)/made
	@rm -rf dist $(WHEEL) && mkdir -p $(WHEEL)
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@$(BIN)/python -m venv $(WHEEL)/venv
	@$(WHEEL)/venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt dist/lawful-*.whl
	@cd $(WHEEL) && venv/bin/lawful list >/dev/null && OPENBLAS_NUM_THREADS=1 venv/bin/lawful run misra --out misra
	@$(WHEEL)/venv/bin/python tests/wheel_contents.py
	@rm -rf $(WHEEL)/venv
	@echo "The wheel: $$(echo $(CURDIR)/dist/lawful-*.whl)"

bench: $(VENV)/installed-dev
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/short.py

# The newest versions that fit pyproject.toml, found in an environment of their own; names and versions only.
# On the oldest Python that lawful supports, because newer ones get versions that it could not install.
constraints: | $(VENV)/made
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "Pin on Python 3.11: rm -r $(VENV) && make PYTHON=python3.11 constraints" >&2; exit 1; }
	@echo "Looking for the newest versions; this takes some minutes."
	@rm -rf .cache/pins && $(BIN)/python -m venv .cache/pins
	@.cache/pins/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,docs]'
	@sed '/^[^#]/d' constraints.txt > .cache/pins/constraints.txt
	@.cache/pins/bin/python -m pip freeze --exclude-editable | sed -n '/^[A-Za-z0-9._-]*==[^ ]*$$/p' \
	  >> .cache/pins/constraints.txt
	@mv .cache/pins/constraints.txt constraints.txt && rm -rf .cache/pins
	@echo "Written: constraints.txt. Run make test before you commit it."

clean:
	@rm -rf .cache .pytest_cache .ruff_cache .hypothesis site build dist
	@find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# The first Python that runs and is new enough. PYTHON=/path/to/python makes the choice by hand.
$(VENV)/made:
	@for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  "$$python" -m venv $(VENV) && touch $@ && exit 0; \
	  echo "$$python could not make the environment $(VENV); its reason stands above." >&2; \
	  echo "On Debian and Ubuntu the module venv is a package of its own: apt install python3-venv" >&2; \
	  exit 1; \
	done; \
	echo "lawful needs Python 3.11 or newer; here is: $$($(or $(PYTHON),python3) --version 2>/dev/null || echo none)" >&2; \
	echo "Install a newer one, or name it: make PYTHON=/path/to/python3.12 demo" >&2; \
	exit 1

# Each stamp says that the packages of that extra are installed as pyproject.toml and constraints.txt ask.
$(VENV)/installed-base: pyproject.toml constraints.txt | $(VENV)/made
	@echo "Installing lawful into $(VENV); the first time takes a minute or two."
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-dev $(VENV)/installed-docs: $(VENV)/installed-%: pyproject.toml constraints.txt | $(VENV)/made
	@echo "Installing lawful with what $* needs into $(VENV); the first time takes a minute or two."
	@$(INSTALL) --editable '.[$*]'
	@touch $@ $(VENV)/installed-base
