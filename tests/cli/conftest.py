"""The town is built once a worker; a test that changes anything gets a copy."""

import shutil

import pytest
import town as t


@pytest.fixture(scope="session")
def town(tmp_path_factory):
    """The town; not to be changed."""
    return t.build(tmp_path_factory.mktemp("town"))


@pytest.fixture
def home(town, tmp_path):
    """A copy of the town's folder that a test may change."""
    shutil.copytree(town.home, tmp_path / "home")
    return tmp_path / "home"
