# Everything a fresh machine needs is done by `make demo` and `make test`: Python 3.11+ and make are enough.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.PHONY: demo test servers lint proof proof-short bench bench-short reading test-long clean

demo: $(READY)  ## the whole story on a throw-away folder and simulated targets
	$(BIN)/orderdrop demo

test: $(READY)  ## the test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -q

servers:  ## the real servers some tests start for themselves (Debian, as root); without them those tests skip and say so
	apt-get install -y --no-install-recommends openssh-server openssh-client postgresql

lint: $(READY)  ## style, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

proof: $(READY)  ## never lost, never twice: the whole proof with its figures, see docs/proof.md (about an hour)
	$(BIN)/python bench/proof/table.py

proof-short: $(READY)  ## the same with small figures (some minutes)
	$(BIN)/python bench/proof/table.py --short

reading: $(READY)  ## how well files are read, measured with the field's own tests, see docs/reading.md
	$(BIN)/python bench/reading/scores.py

bench: $(READY)  ## speed, memory and growth as ratios of paired runs, written to docs/performance.md (about an hour)
	$(BIN)/python bench/all.py

bench-short: $(READY)  ## the same with small sizes and few rounds, printed only (about ten minutes)
	$(BIN)/python bench/all.py --quick

test-long: $(READY)  ## the long tests
	$(BIN)/python -m pytest -m slow -q --timeout 1800

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("orderdrop needs Python 3.11 or newer; set PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
