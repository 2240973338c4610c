"""checker.go itself: formatted, and it answers what is wrong instead of agreeing."""

import subprocess
from pathlib import Path

import pytest
from debian import needs

pytestmark = needs("golang-go", "golang-golang-x-mod-dev")


def test_it_is_formatted():
    source = Path(__file__).with_name("checker.go")
    done = subprocess.run(["gofmt", "-l", source], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_an_unknown_question_ends_it(go):
    with pytest.raises(subprocess.CalledProcessError):
        go([{"op": "guess"}])
