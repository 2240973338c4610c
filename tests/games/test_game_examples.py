"""The grids that come with the project: valid, and what their first lines promise."""

import subprocess
import sys
from pathlib import Path

import pytest

from wmproto.games.catalogue import ATTACKS, SCHEMES
from wmproto.games.grid import Attacker
from wmproto.games.gridfile import parse_grid
from wmproto.games.record import GAMES

pytestmark = pytest.mark.torch
ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "games").glob("*.yaml"))


def grid(path):
    return parse_grid(path.read_bytes(), what=path.name, folder=path.parent)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_grid_of_its_name(path):
    assert grid(path).name == path.stem
    assert len(list(grid(path).cells())) == grid(path).count


def test_the_smoke_grid_plays_every_game_scheme_and_attack():
    found = grid(ROOT / "examples" / "games" / "smoke.yaml")
    assert set(found.games) == set(GAMES)
    assert set(found.profiles) == {"wmproto/1", "adi2018"}
    assert {scheme.name for scheme in found.schemes} == set(SCHEMES)
    assert {attacker.word for attacker in found.attacks} == set(ATTACKS)
    played = {(c.game, c.adversary.word) for c in found.cells() if isinstance(c.adversary, Attacker)}
    assert {word for _, word in played} == set(ATTACKS)


def test_the_grids_of_the_paper_have_its_settings():
    for name, model in (("adi2018-table", "small-cnn"), ("adi2018-table-full", "resnet-18")):
        found = grid(ROOT / "examples" / "games" / f"{name}.yaml")
        assert (found.training.recipe.epochs, found.training.batch, found.training.augment) == (60, 100, "crop-flip")
        assert found.models == (model,)
        assert {scheme.rows for scheme in found.schemes} == {2, 8}
        long = {a.word for a in found.attacks if a.attack.epochs == 60}
        assert long == {"ftll", "ftal", "rtll", "rtal"}
    assert len(grid(ROOT / "examples" / "games" / "adi2018-table-full.yaml").seeds) == 5


def test_without_a_data_path_the_paper_is_skipped_and_says_so(tmp_path):
    script = ROOT / "benchmarks" / "paper_adi.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert done.stderr == "skipped: no data path was given (DATA=FOLDER)\n"
    assert not list(tmp_path.iterdir())
