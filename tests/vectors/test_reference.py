"""specs/reference stands alone, gives the published answers, and writes exactly the committed vectors."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from vectorfile import ROOT, VECTORS

REFERENCE = ROOT / "specs" / "reference"
FILES = sorted(REFERENCE.glob("*.py"))
KNOWN = ROOT / "tests" / "data" / "known-answers.json"


def run(*args):
    """Python, with nothing but the standard library on its path."""
    return subprocess.run([sys.executable, "-I", "-S", *map(str, args)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_it_imports_the_standard_library_and_itself_alone(path):
    allowed = set(sys.stdlib_module_names) | {file.stem for file in FILES}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module]
        else:
            continue
        assert {name.split(".")[0] for name in names} <= allowed


def test_no_clock_and_no_randomness():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for word in ("import random", "import secrets", "import time", "import datetime", "urandom", "uuid"):
            assert word not in text, f"{path.name}: {word}"


def test_generating_again_gives_the_committed_files(tmp_path):
    script = f"import sys; sys.path.insert(0, {str(REFERENCE)!r}); import generate; from pathlib import Path; "
    done = run("-c", script + f"generate.main(Path({str(tmp_path)!r}))")
    assert done.returncode == 0, done.stderr
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_bytes() for path in VECTORS.iterdir()}
    assert set(made) == set(committed)
    for name, data in made.items():
        assert data == committed[name], f"specs/vectors/{name}: run python specs/reference/generate.py"


def test_the_vectors_are_small_and_readable():
    assert sum(path.stat().st_size for path in VECTORS.iterdir()) < 1_200_000
    for path in VECTORS.iterdir():
        text = path.read_text(encoding="ascii")
        assert text.endswith("}\n")
        json.loads(text)


def test_the_published_known_answers():
    """tests/data/known-answers.json, by an implementation that knew the protocol's text alone."""
    done = run(Path(__file__).parent / "known_answers.py", REFERENCE, KNOWN)
    assert done.returncode == 0, done.stdout + done.stderr
    parts, checks = done.stdout.split()
    assert int(parts) == len(json.loads(KNOWN.read_text(encoding="utf-8"))) - 1  # all but the note
    assert int(checks) > 150
