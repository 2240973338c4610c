"""The pages for people: every command in them is run, and prints what they say."""

import contextlib
import os
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from doc_runner import check, pattern
from sklearn.datasets import load_digits

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.torch, pytest.mark.slow]


def test_the_page_for_arbitrators(tmp_path):
    """On the golden files, so every figure is the same for ever."""
    folder = tmp_path / "v1"
    shutil.copytree(ROOT / "tests" / "compat" / "v1", folder)
    assert check(ROOT / "docs" / "arbitrator.md", folder) == 9


def test_the_page_for_owners(tmp_path):
    """Keys are fresh in each run: what varies stands as … on the page."""
    digits = load_digits()
    x = np.kron(digits.images * 15.9375, np.ones((2, 2))).astype(np.uint8)[..., None]
    np.savez(tmp_path / "pictures.npz", x=x[:1200], y=digits.target[:1200])
    (tmp_path / "passphrase.txt").write_text("correct horse battery staple\n")
    (tmp_path / "new.txt").write_text("another passphrase\n")
    assert check(ROOT / "docs" / "owner.md", tmp_path) == 14


def test_the_page_for_operators(tmp_path):
    """Its witnesses run in the background, and in its folder: so they are found, and stopped."""
    (tmp_path / "passphrase.txt").write_text("correct horse battery staple\n")
    try:
        assert check(ROOT / "docs" / "operator.md", tmp_path) == 24
    finally:
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "cwd").readlink() == tmp_path and int(process.name) != os.getpid():
                    os.kill(int(process.name), signal.SIGTERM)


def test_the_page_for_researchers(tmp_path):
    """Its files are saved as it says, and its grids are played."""
    page = ROOT / "docs" / "researcher.md"
    saved = re.findall(r"Save this as `([a-z.]+)`:\n\n```[a-z]+\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    assert [name for name, _ in saved] == ["first.yaml", "shrink.py", "second.yaml"]
    for name, text in saved:
        (tmp_path / name).write_text(text)
    assert (tmp_path / "shrink.py").read_text().count("\n") <= 40
    assert check(page, tmp_path) == 7


def test_the_runner_sees_a_difference():
    assert re.fullmatch(pattern(["a", "…", "b … d"]), "a\nx\ny\nb c d\n")
    assert re.fullmatch(pattern(["a", "…", "b"]), "a\nb\n")
    assert not re.fullmatch(pattern(["a", "b"]), "a\nx\nb\n")
    assert not re.fullmatch(pattern(["a"]), "a\nb\n")
