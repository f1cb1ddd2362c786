# Everything one does with a checkout. Needs Python 3.11 or newer with its venv module, and make. No root, no compiler,
# no Node: the page is built with a Node that comes as a Python wheel, and where there is no C compiler the native kernels
# with a clang that does. pip's own configuration says where packages come from.
#
#   make run      set up, build the page, open the workstation      make check   all that CI checks
#   make test     set up, run the tests                             make clean   remove what was made

PYTHON ?= python3
SOURCE ?=
VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip install -q -q --disable-pip-version-check --constraint constraints.txt
STATIC := src/insonate/app/static
NATIVE := $(wildcard native/*.py native/cpp/* native/pyproject.toml native/src/insonate_native/*.py)
WEB    := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

.PHONY: setup native page run test lint types contracts docs check wheel mutation constraints clean help

help:
	@sed -n '5,6s/^# *//p' Makefile

setup: $(VENV)/.core $(VENV)/.native

# A half-made environment is worse than none: what is missing is said first, and a failed start is taken away again.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Insonate needs Python 3.11 or newer, got %d.%d: make PYTHON=python3.12" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv module is incomplete. On Debian and Ubuntu: apt install python$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv" >&2; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || { \
	  rm -rf $(VENV); echo "Making $(VENV)"; \
	  $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; }
	@touch $@

# pip first: dependency groups need 25.1, and Debian's bundled pip is older. The build backend next, so that the package
# itself is built with the pinned one.
$(VENV)/.core: $(VENV)/.made constraints.txt pyproject.toml
	@echo "Installing what it stands on into $(VENV): about a minute the first time"
	@$(PIP) --upgrade pip
	@$(PIP) --group build
	@$(PIP) --no-build-isolation --group test --editable .
	@touch $@

$(VENV)/.%: $(VENV)/.core
	@$(PIP) --group $*
	@touch $@

# The compiled kernels: by the machine's compiler, else by the one inside the package `ziglang`. Without them everything
# works, slower: where they cannot be built, one line says why, and nothing fails but `make native` itself.
native: $(VENV)/.core
	@rm -f $(VENV)/.native
	@$(MAKE) --no-print-directory $(VENV)/.native
	@$(PY) -c 'import insonate_native as native; print("insonate-native:", ", ".join(native.available()), "can run here;", native.instructions(), "is used")' 2>/dev/null

$(VENV)/.native: $(NATIVE) | $(VENV)/.core
	@export ZIG_GLOBAL_CACHE_DIR=$(CURDIR)/$(VENV)/zig-cache; \
	{ $(PY) native/build_native.py --quiet || { $(PIP) --group compiler 2>/dev/null; $(PY) native/build_native.py; }; } && \
	{ $(PY) -c 'import insonate_native' 2>/dev/null || $(PIP) --no-build-isolation --no-deps --editable native; } || true
	@touch $@

page: $(STATIC)/index.html

$(STATIC)/index.html: $(WEB) | $(VENV)/.core
	@echo "Building the page"
	@$(PY) web/build.py
	@touch $@

run: setup page
	@$(PY) -m insonate serve $(SOURCE)

test: setup page
	$(PY) -m pytest

lint: $(VENV)/.lint
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(VENV)/.lint
	$(PY) -m mypy

contracts: $(VENV)/.lint
	@$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

docs: $(VENV)/.docs
	$(PY) -m sphinx -E -W --keep-going -q -b html docs docs/_build/html

check: lint types contracts docs test

# The wheel carries the built page, so it needs no Node where it is installed.
wheel: setup page
	@$(PY) -m pip wheel -q --no-deps --no-build-isolation --wheel-dir dist .
	@ls -1 dist/*.whl

# On demand: faults are planted in the nouns and the planner, and the tests must notice.
mutation: $(VENV)/.deep
	$(PY) -m mutmut run --max-children 1
	$(PY) -m mutmut results

# Pins anew, from an empty environment of the oldest Python we support.
constraints:
	rm -rf build/pins && $(PYTHON) -m venv build/pins
	build/pins/bin/python -m pip install -q -q --upgrade pip
	build/pins/bin/python -m pip install -q -q --group build --group compiler --group test --group lint --group docs --group deep .
	{ sed -n '/^#/p' constraints.txt; build/pins/bin/python -m pip freeze --all --exclude insonate --exclude setuptools; } > build/constraints.txt
	mv build/constraints.txt constraints.txt && rm -rf build/pins

clean:
	rm -rf $(VENV) build dist docs/_build mutants web/node_modules $(STATIC)
