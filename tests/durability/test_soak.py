"""Writers that are killed lose nothing that was acknowledged, and fork nothing; `make soak` runs ten times as long."""

import pytest
from soak import Soak

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_writers_are_killed_again_and_again(kind, tmp_path):
    soak = Soak(kind, tmp_path, seed=7)
    for number in range(20):
        soak.round(number)
    soak.end()
    assert soak.killed > 40
    assert soak.entries > 100
    assert soak.acknowledged > 100
