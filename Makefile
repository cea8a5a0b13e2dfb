# Each target installs what it needs into the project's own virtual environment, `.venv`.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
STAMP := $(VENV)/installed

.PHONY: setup demo check test e2e soak fleet bench pictures schemas lock clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed; set PYTHON=python3.12, for one" >&2; exit 1; }
	@command -v git >/dev/null || { echo "make: git is needed; install it" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(RUN)/python -m pip install --quiet --editable . --group dev
	@touch $@

demo: setup
	@$(RUN)/reconciler demo

check: setup
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy

test: setup
	$(RUN)/pytest --numprocesses 4 --dist worksteal

e2e: setup
	$(RUN)/python -m tests.real.build
	$(RUN)/pytest -m real -v --numprocesses 2 --dist loadfile

soak: setup
	$(RUN)/python -m tests.soak --processes 2

fleet: setup
	@$(RUN)/python -m tests.real

bench: setup
	$(RUN)/python -m tests.real.build
	$(RUN)/python -m tests.bench

pictures: setup
	$(RUN)/python -m tests.pictures

schemas: setup
	@mkdir -p schemas
	$(RUN)/reconciler schema > schemas/all.json
	for kind in attachedcluster backup cluster fleet restore; do $(RUN)/reconciler schema $$kind > schemas/$$kind.json || exit; done

lock: setup
	$(RUN)/python deploy/lock.py

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
