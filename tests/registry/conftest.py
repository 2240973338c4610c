"""The fixture of both stores."""

import pytest
import stores


@pytest.fixture(params=stores.NAMES)
def place(request, tmp_path):
    """A place for one log; the test runs over each store."""
    return stores.Place(request.param, tmp_path)
