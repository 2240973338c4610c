"""One rich page for the tests of what pages say."""

import pytest
from record_samples import Tree, rich

from wmproto.games.page import render


@pytest.fixture(scope="module")
def page():
    return render(rich(), title="Rich", missing=["cell 17 was not played"])


@pytest.fixture(scope="module")
def tree(page):
    return Tree(page)
