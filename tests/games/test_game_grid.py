"""What stands in a grid file: counted before anything is made, and refused with the line that is wrong."""

import pytest
from grid_samples import TINY, grid, parsed

from wmproto.errors import ConfigError, FormatError
from wmproto.games.grid import MOST_CELLS

pytestmark = pytest.mark.torch


def test_cells_are_what_was_counted_and_all_differ():
    found = parsed(grid(seeds="[1, 2, 3]", profiles="[wmproto/1, adi2018]"))
    cells = list(found.cells())
    assert len(cells) == found.count == 3 * 2 * (1 + (2 + 1) + (2 + 3) + (2 + 1) + (2 + 1))
    assert len({cell.id for cell in cells}) == len(cells)


def test_a_cell_is_named_by_its_content_and_not_by_its_grid():
    alone = {cell.id for cell in parsed(grid(games="functionality", name="another")).cells()}
    assert alone < {cell.id for cell in parsed().cells()}
    other = parsed(TINY.replace("epochs: 8", "epochs: 9")).cells()
    assert not {cell.id for cell in other} & {cell.id for cell in parsed().cells()}


def test_a_list_is_swept():
    text = TINY.replace("lr: 0.001, epochs: 1", "lr: [1e-3, 0.01], epochs: [1, 2]")
    rates = {
        (c.adversary.attack.lr, c.adversary.attack.epochs)
        for c in parsed(text).cells()
        if getattr(c.adversary, "word", "") == "ftal"
    }
    assert rates == {(0.001, 1), (0.001, 2), (0.01, 1), (0.01, 2)}


def test_no_op_and_cheater_play_every_game_with_an_adversary():
    for game in ("non-trivial-ownership", "unremovability", "unforgeability", "false-claim"):
        alone = [c.adversary for c in parsed(grid(games=game, profiles="adi2018")).cells() if c.budget is None]
        assert alone == ["no-op", "cheater"]


WRONG = {
    "an unknown attack": (TINY.replace("name: ftal", "name: ftaal"), 13, "did you mean ftal?"),
    "an unknown scheme": (TINY.replace("adi-from-scratch", "adi-from-scrach"), 11, "did you mean adi-from-scratch?"),
    "an unknown game": (grid(games="[functionalty]"), 3, "did you mean functionality?"),
    "an unknown profile": (grid(profiles="wmproto/2"), 4, "did you mean wmproto/1?"),
    "an unknown model": (grid(models="small-cn"), 7, "did you mean small-cnn?"),
    "unknown data": (TINY.replace("name: made", "name: mnist-500"), 6, "did you mean mnist-5000? Or give a file"),
    "an unknown setting": (TINY.replace("sigma: 1.0", "sgima: 1.0"), 14, "did you mean sigma?"),
    "an unknown name": (TINY.replace("seeds: 1", "seed: 1"), 19, "did you mean seeds?"),
    "something missing": (TINY.replace("seeds: 1\n", ""), 1, None),
    "another format": (grid(format="wmproto/grid@v2"), 1, None),
    "text for a number": (TINY.replace("lr: 0.001", "lr: fast"), 13, None),
    "a truth for a number": (TINY.replace("epochs: 2", "epochs: true"), 15, None),
    "a rate below 0": (TINY.replace("lr: 0.001", "lr: -1.0"), 13, None),
    "no epoch": (TINY.replace("epochs: 8", "epochs: 0"), 8, None),
    "a schedule that is none": (TINY.replace("batch: 64", "batch: 64, schedule: cosin"), 8, None),
    "leaves that no key has": (TINY.replace("leaves: 128", "leaves: 100"), 9, None),
    "a budget below 0": (TINY.replace("queries: 1000", "queries: -1"), 18, None),
    "an empty list": (grid(seeds="[]"), 19, None),
    "a seed twice": (grid(seeds="[1, 1]"), 1, None),
    "a game without a scheme": (
        TINY.replace("schemes:\n  - {name: adi-from-scratch, rows: 32}\n", ""),
        1,
        "add schemes: [{name: adi-from-scratch}]",
    ),
    "an attack's file that is not there": (TINY.replace("name: blur, sigma: 1.0", "name: nowhere.py:Mine"), 14, None),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_with_its_line(what):
    text, line, hint = WRONG[what]
    with pytest.raises(ConfigError, match=rf"^grid\.yaml, line {line}: ") as found:
        parsed(text)
    if hint is not None:
        assert found.value.hint == hint


MALFORMED = {
    "an alias": TINY.replace("seeds: 1", "seeds: &a 1"),
    "a tag": TINY.replace("seeds: 1", "seeds: !!python/object:os.system 1"),
    "a name twice": TINY + "seeds: 2\n",
    "no YAML": TINY + "a: [\n",
    "nothing": "",
    "not UTF-8": b"\xff\xfe",
    "nested beyond reason": "[" * 5000,
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_no_grid_at_all_is_a_format_error(what):
    from pathlib import Path

    from wmproto.games.gridfile import parse_grid

    text = MALFORMED[what]
    with pytest.raises(FormatError, match=r"^grid\.yaml"):
        parse_grid(text if isinstance(text, bytes) else text.encode(), what="grid.yaml", folder=Path())


def test_a_grid_of_a_million_cells_is_refused_with_the_count_before_it_is_made():
    sweep = ", ".join(str(n) for n in range(1, 1001))
    with pytest.raises(ConfigError, match="1,000,000 combinations"):
        parsed(TINY.replace("lr: 0.001, epochs: 1", f"epochs: [{sweep}], batch: [{sweep}]"))
    with pytest.raises(ConfigError, match=r"has 30,000 cells, at most 10,000"):
        parsed(grid(seeds=f"[{sweep}]"))
    assert MOST_CELLS == 10_000
