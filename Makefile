# Every target starts from nothing: it makes .venv if that is missing.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup test lint type demo demo-fast vectors audit-size bench clean

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[demo,images,dev]'
	touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

type: setup
	$(BIN)/mypy

vectors: setup
	$(BIN)/python specs/reference/generate.py
	git diff --exit-code --stat specs/vectors

audit-size: setup
	$(BIN)/python tests/architecture/audit_size.py

test: setup lint type
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=
	$(BIN)/python tests/architecture/coverage_above_the_line.py

demo: setup
	rm -rf demo-out
	$(BIN)/wmproto demo --out demo-out

demo-fast: setup
	rm -rf demo-out-fast
	$(BIN)/wmproto demo --fast --out demo-out-fast

bench: setup
	$(BIN)/python benchmarks/spine.py

clean:
	rm -rf .venv demo-out demo-out-fast
