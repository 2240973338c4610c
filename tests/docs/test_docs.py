"""The pages for people: every command in them is run, and prints what they say."""

import re
import shutil
from pathlib import Path

import pytest
from doc_runner import check, pattern

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.torch, pytest.mark.slow]


def test_the_page_for_arbitrators(tmp_path):
    """On the golden files, so every figure is the same for ever."""
    folder = tmp_path / "v1"
    shutil.copytree(ROOT / "tests" / "compat" / "v1", folder)
    assert check(ROOT / "docs" / "arbitrator.md", folder) == 9


def test_the_runner_sees_a_difference():
    assert re.fullmatch(pattern(["a", "…", "b … d"], str), "a\nx\ny\nb c d\n")
    assert re.fullmatch(pattern(["a", "…", "b"], str), "a\nb\n")
    assert not re.fullmatch(pattern(["a", "b"], str), "a\nx\nb\n")
    assert not re.fullmatch(pattern(["a"], str), "a\nb\n")
