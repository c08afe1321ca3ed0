# Everything a fresh machine needs is done by `make demo` and `make test`: Python 3.11+ and make are enough.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.PHONY: demo test lint proof clean

demo: $(READY)  ## the whole story on a throw-away folder and simulated targets
	$(BIN)/orderdrop demo

test: $(READY)  ## the test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile -q

lint: $(READY)  ## style, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

proof: $(READY)  ## the long proofs: kills at many points of a run, by the sandbox's own count
	$(BIN)/python -m pytest -m slow -q --timeout 1800

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("orderdrop needs Python 3.11 or newer; set PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
