# Every target starts from nothing: it makes .venv if that is missing.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup test test-deps lint type demo demo-fast vectors audit-size bench soak paper-accuracy paper-adi clean

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[demo,games,images,dev]'
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

# Debian's packages for some of the tests. Without them those are left out, and named at the end.
test-deps:
	@$(PYTHON) tests/tools/debian.py

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
	$(BIN)/python benchmarks/bench.py
	$(BIN)/python benchmarks/liar.py
	$(BIN)/python benchmarks/calibration.py
	$(BIN)/python benchmarks/games.py
	$(BIN)/python benchmarks/registry.py

# Writers of one log are killed 200 times over each store; about five minutes.
soak: setup
	$(BIN)/python tests/durability/soak.py

# All of Fashion-MNIST, 10 trainings, half an hour; goes on where it was interrupted. DATA: see benchmarks/accuracy.py
paper-accuracy: setup
	$(BIN)/python benchmarks/accuracy.py $(if $(DATA),--data $(DATA))

# Table 1, Figure 6 and more of Adi et al. 2018 on CIFAR-10, about 40 minutes on two cores; goes on where it was
# interrupted. DATA: see benchmarks/paper_adi.py. ARGS='--full --device cuda': the paper's settings, 5 seeds.
paper-adi: setup
	$(BIN)/python benchmarks/paper_adi.py $(if $(DATA),--data $(DATA)) $(ARGS)

clean:
	rm -rf .venv demo-out demo-out-fast
