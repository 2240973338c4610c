"""A test that lacks a package is left out and named; where nothing may be left out, that is an error."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_without_go(**env):
    """Run a test file that needs Go, with no program to be found."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/interop/test_checker.py"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PATH": "", "WMPROTO_TEST_ALL": ""} | env, capture_output=True, text=True
    )
    return done.returncode, done.stdout


def test_a_test_that_lacks_a_package_is_left_out_and_named():
    code, out = run_without_go()
    assert code == 0, out
    assert "left out: 2 of tests/interop/test_checker.py: not installed (make test-deps): golang-go\n" in out


def test_where_nothing_may_be_left_out_it_fails():
    code, out = run_without_go(WMPROTO_TEST_ALL="1")
    assert code not in (0, 5), out
    assert "not installed (make test-deps): golang-go\n" in out
    assert "left out" not in out
