"""Attacks on the harness itself: each of these won, or broke a run, before there was a rule against it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from grid_samples import grid

from wmproto.errors import ConfigError
from wmproto.games.challenger import Challenger
from wmproto.games.data import NEAR, shares
from wmproto.games.grid import Attacker
from wmproto.games.gridfile import parse_grid
from wmproto.games.plan import check_able, digests, plan
from wmproto.games.play import play
from wmproto.games.runner import run
from wmproto.games.store import RunFolder

pytestmark = pytest.mark.torch
torch.set_num_threads(1)

HEAD = """from __future__ import annotations
from dataclasses import dataclass, field
from typing import ClassVar
import os, random, sys, threading
import numpy as np
import torch
from torch import nn
from wmproto.attacks.attack import EvasionAttack, RemovalAttack
from wmproto.models import Batches, Network, Recipe, descend

class Wrapped(nn.Module):
    def __init__(self, network, does):
        super().__init__()
        self.network, self.does, self.asked = network, does, 0
    def forward(self, x):
        self.asked += 1
        return self.does(self, x)

def twist(y):
    return y.roll(1, 1)

"""
CHEAT = """@dataclass(frozen=True)
class {cls}({base}):
    name: ClassVar[str] = "{word}"
    source: ClassVar[str] = "a test"
{body}
"""


def attack(cls, base, body):
    text = "\n".join(f"    {line}" for line in body.splitlines())
    return CHEAT.format(cls=cls, base=base, word=cls.lower(), body=text)


CHEATS = HEAD + "".join(
    attack(*cheat)
    for cheat in (
        # Answers one picture otherwise than many: accuracy used to be asked in batches, marks one by one.
        (
            "TwoFaced",
            "EvasionAttack",
            "def run(self, view, run):\n    return Wrapped(view.network(), lambda m, x: twist(m.network(x)) if len(x) == 1 else m.network(x))",
        ),
        # NaN at the highest score: torch's argmax takes it for the class, the class rule for no answer.
        (
            "NotANumber",
            "EvasionAttack",
            "def run(self, view, run):\n    def does(m, x):\n        y = m.network(x).clone()\n        y[torch.arange(len(y)), y.argmax(1)] = float('nan')\n        return y\n    return Wrapped(view.network(), does)",
        ),
        # Behaves for as many questions as there are test pictures.
        (
            "Patient",
            "EvasionAttack",
            "def run(self, view, run):\n    return Wrapped(view.network(), lambda m, x: m.network(x) if m.asked <= 200 else twist(m.network(x)))",
        ),
        # Goes on training while it is judged, when no budget was counted any more.
        (
            "LateLearner",
            "EvasionAttack",
            "def run(self, view, run):\n    def does(m, x):\n        with torch.enable_grad():\n            m.network(x).sum().backward()\n        return m.network(x)\n    return Wrapped(view.network(), does)",
        ),
        # A Network whose own forward comes with it.
        (
            "Subclass",
            "RemovalAttack",
            "def run(self, view, run):\n    class Two(Network):\n        def forward(self, x):\n            y = super().forward(x)\n            return twist(y) if len(x) == 1 else y\n    network = view.network()\n    network.__class__ = Two\n    return network",
        ),
        (
            "NoNetwork",
            "RemovalAttack",
            "def run(self, view, run):\n    return Wrapped(view.network(), lambda m, x: twist(m.network(x)))",
        ),
        # Writes into what it was given.
        (
            "Vandal",
            "RemovalAttack",
            "def run(self, view, run):\n    view.data.x[:] = 0\n    view.data.y[:] = 0\n    for tensor in view.tensors.values():\n        tensor.zero_()\n    return view.network()",
        ),
        ("Quits", "RemovalAttack", "def run(self, view, run):\n    sys.exit(0)"),
        (
            "QuitsLater",
            "EvasionAttack",
            "def run(self, view, run):\n    return Wrapped(view.network(), lambda m, x: sys.exit(0))",
        ),
        (
            "Notes",
            "RemovalAttack",
            "def run(self, view, run):\n    run.note(loss=np.float32(0.5))\n    return view.network()",
        ),
        (
            "Moves",
            "RemovalAttack",
            "def run(self, view, run):\n    os.chdir('/')\n    run.note(drawn=random.random())\n    return view.network()",
        ),
        (
            "NoParameters",
            "EvasionAttack",
            "def run(self, view, run):\n    class Constant(nn.Module):\n        def forward(self, x):\n            return torch.ones(len(x), view.classes)\n    return Constant()",
        ),
    )
)
WORDS = {
    "TwoFaced": False,  # every answer is wrong now: no 5 points
    "NotANumber": False,
    "Patient": False,
    "LateLearner": "the budget of 0 samples backward is used up",
    "Subclass": False,  # only its weights come to court
    "NoNetwork": "must return a wmproto Network, not Wrapped",
    "Vandal": False,
    "Quits": "SystemExit",
    "QuitsLater": "SystemExit",
    "Notes": "TypeError",
    "Moves": False,
    "NoParameters": False,
}


@pytest.fixture(scope="module")
def cheats(tmp_path_factory):
    """A run of all cheats: their records by class, the folder, and the cells."""
    home = tmp_path_factory.mktemp("cheats")
    (home / "cheats.py").write_text(CHEATS)
    lines = "".join(f"  - 'cheats.py:{name}'\n" for name in WORDS)
    text = grid(games="unremovability", profiles="adi2018").replace("  - {name: ftal, lr: 0.001, epochs: 1}\n", lines)
    (home / "grid.yaml").write_text(text)
    made = parse_grid(text.encode(), what="grid.yaml", folder=home)
    cells = list(made.cells())
    listed = [(cell.id, str(cell)) for cell in cells]
    files = {(home / "cheats.py").relative_to(home): CHEATS.encode()}
    unmade = RunFolder(home / "runs", {"device": "cpu", "data": None, "digests": {}})
    folder = RunFolder.create(
        home / "runs",
        text.encode(),
        device="cpu",
        data=None,
        digests=digests(cells, unmade),
        cells=listed,
        attacks=files,
    )
    before = random_state(), Path.cwd()
    tasks = plan(cells, folder)
    run(folder.path, tasks, workers=1, weights={t.name: 1 for t in tasks}, progress=lambda *_: None)
    assert (random_state(), Path.cwd()) == before
    records = {cell.adversary.word: folder.record(cell.id) for cell in cells if isinstance(cell.adversary, Attacker)}
    return {word.rpartition(":")[2]: record for word, record in records.items()}, folder, cells


def random_state():
    import random

    return random.getstate()


@pytest.mark.parametrize("name", WORDS)
def test_the_cheat_does_not_win(cheats, name):
    record = cheats[0][name]
    expected = WORDS[name]
    if isinstance(expected, str):
        assert record.state == "failed"
        assert expected in record.error
    else:
        assert record.state == "played", record.error
        assert record.won is expected


def test_a_subclass_is_what_its_weights_are(cheats):
    record = cheats[0]["Subclass"]
    assert record.accuracy.result == record.accuracy.victim
    assert record.retention.result == record.retention.victim


def test_what_a_vandal_does_nobody_else_sees(cheats):
    _records, folder, cells = cheats
    again = next(
        cell for cell in cells if isinstance(cell.adversary, Attacker) and cell.adversary.word == "extract-hard"
    )
    replayed = play(again, folder)
    assert replayed.model_copy(update={"cost": None}) == folder.record(again.id).model_copy(update={"cost": None})
    assert Challenger(again, folder).shares.thief.x.any()


def test_pythons_own_generator_starts_from_the_seed_too(cheats):
    records, folder, cells = cheats
    again = next(cell for cell in cells if getattr(cell.adversary, "word", "") == "cheats.py:Moves")
    assert play(again, folder).log == records["Moves"].log
    assert 0 < records["Moves"].log[0]["drawn"] < 1


# --- attack files ---------------------------------------------------------------------------------------------------

FILES = {
    "class Mine(RemovalAttack):\n    name, source = 'm', 's'\n    def run(self, view, run): pass": "is no frozen dataclass",
    "@dataclass\nclass Mine(RemovalAttack):\n    name, source = 'm', 's'\n    def run(self, view, run): pass": "is no frozen",
    "@dataclass(frozen=True)\nclass Mine(RemovalAttack):\n    def run(self, view, run): pass": "has no name or no source",
    "@dataclass(frozen=True)\nclass Mine(RemovalAttack):\n    name, source = 'm', 's'": "has no method run",
    "@dataclass(frozen=True)\nclass Mine(RemovalAttack):\n    name, source = 'm', 's'\n    must: int\n    def run(self, v, r): pass": "TypeError",
    "@dataclass(frozen=True)\nclass Mine(RemovalAttack):\n    name, source = 'm', 's'\n    s: frozenset = frozenset()\n    def run(self, v, r): pass": "no JSON value",
    "@dataclass(frozen=True)\nclass Mine(RemovalAttack):\n    name, source = 'm', 's'\n    def __post_init__(self): assert False\n    def run(self, v, r): pass": "AssertionError",
    "Mine = 3": "is no attack",
    "raise KeyError('x')": "KeyError",
    "import sys": "AttributeError",
}


@pytest.mark.parametrize("text", FILES)
def test_a_file_that_holds_no_attack_is_told_with_the_line_of_the_grid(text, tmp_path):
    (tmp_path / "mine.py").write_text(HEAD + text)
    grid_text = grid().replace("- {name: ftal, lr: 0.001, epochs: 1}", "- 'mine.py:Mine'")
    with pytest.raises(ConfigError, match=r"^g\.yaml, line (13|1): .*" + FILES[text]):
        parse_grid(grid_text.encode(), what="g.yaml", folder=tmp_path)


@pytest.mark.parametrize("name", ["/etc/passwd.py:X", "../up.py:X"])
def test_an_attack_lies_beside_its_grid(name, tmp_path):
    with pytest.raises(ConfigError, match="lies beside the grid"):
        parse_grid(
            grid().replace("- {name: ftal, lr: 0.001, epochs: 1}", f"- '{name}'").encode(), what="g", folder=tmp_path
        )


def test_numbers_that_are_none_are_text(tmp_path):
    with pytest.raises(ConfigError, match="float is needed, not '1e999'"):
        parse_grid(grid().replace("lr: 0.001", "lr: 1e999").encode(), what="g", folder=tmp_path)


# --- data, keys, processes ------------------------------------------------------------------------------------------


def test_the_oracle_knows_a_picture_that_was_hardly_changed_and_no_other():
    spec = next(iter(parse_grid(grid().encode(), what="g", folder=None).data))
    parts = shares(spec, None, 1)
    picture, label = parts.thief.x[3], int(parts.thief.y[3])
    rng = np.random.default_rng(1)
    moved = picture.copy()
    moved[0, 0, 0] ^= 1
    noisy = (picture.astype(int) + rng.integers(-1, 2, picture.shape)).clip(0, 255).astype(np.uint8)
    far = (picture.astype(int) + rng.choice([-9, 9], picture.shape)).clip(0, 255).astype(np.uint8)
    assert {parts.truth(one.tobytes()) for one in (picture, moved, noisy)} == {label}
    assert parts.truth(far.tobytes()) is None
    assert parts.truth(rng.integers(0, 256, picture.shape, dtype=np.uint8).tobytes()) is None
    every = np.concatenate([parts.owner.x, parts.thief.x, parts.stranger.x, parts.test.x]).reshape(-1, 256)
    least = np.abs(every.astype(int) - noisy.ravel()).mean(1).min()
    assert least <= NEAR


def test_nobody_can_write_into_the_challengers_pictures():
    parts = shares(next(iter(parse_grid(grid().encode(), what="g", folder=None).data)), None, 1)
    for part in (parts.owner, parts.thief, parts.stranger, parts.test):
        with pytest.raises(ValueError, match="read-only"):
            part.x[0] = 0


def test_a_key_that_can_never_reach_the_bits_is_refused_before_anything_is_trained(tmp_path):
    text = grid().replace("leaves: 128", "leaves: 16")
    cells = list(parse_grid(text.encode(), what="g", folder=tmp_path).cells())
    folder = RunFolder(tmp_path / "runs", {"device": "cpu", "data": None, "digests": {}})
    with pytest.raises(ConfigError, match="no claim under a key of 16 inputs and 8 classes can stand"):
        plan(cells, folder)
    check_able(Challenger(next(iter(parse_grid(grid().encode(), what="g", folder=tmp_path).cells())), folder).key)


def command(*args, cwd):
    return subprocess.run(
        [sys.executable, "-m", "wmproto", *map(str, args)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_run_goes_on_with_no_other_data_and_its_page_needs_no_attack_file(tmp_path):
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 256, (400, 8, 8, 1), dtype=np.uint8), rng.integers(0, 4, 400)
    np.savez(tmp_path / "mine.npz", x=x, y=y)
    (tmp_path / "cheats.py").write_text(CHEATS)
    data = "  - {name: mine, file: mine.npz, owner: 100, thief: 100, stranger: 100, test: 100}"
    text = grid(games="unremovability", profiles="adi2018").replace(
        "  - {name: made, owner: 600, thief: 400, stranger: 600, test: 200}", data
    )
    text = text.replace("  - {name: ftal, lr: 0.001, epochs: 1}\n", "  - 'cheats.py:Moves'\n").replace(
        "epochs: 8", "epochs: 1"
    )
    (tmp_path / "grid.yaml").write_text(text)
    assert (
        command("game", "run", "grid.yaml", "--out", "runs", "--data", ".", "--workers", 1, cwd=tmp_path).returncode
        == 0
    )
    next((tmp_path / "runs" / "cells").iterdir()).unlink()
    np.savez(tmp_path / "mine.npz", x=x[::-1], y=y)
    (tmp_path / "cheats.py").unlink()
    done = command("game", "resume", "runs", cwd=tmp_path)
    assert done.returncode == 2
    assert "other data than this run began with: mine, seed 1" in done.stderr
    assert command("game", "status", "runs", cwd=tmp_path).returncode == 0
    assert command("report", "build", "runs", "--out", "page.html", cwd=tmp_path).returncode == 0
    np.savez(tmp_path / "mine.npz", x=x, y=y)
    done = command("game", "resume", "runs", "--workers", 1, cwd=tmp_path)  # with the attack that the run has kept
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_when_the_first_process_is_killed_the_others_end_too(tmp_path):
    (tmp_path / "grid.yaml").write_text(grid(games="unremovability", profiles="adi2018"))
    args = [sys.executable, "-m", "wmproto", "game", "run", "grid.yaml", "--out", "runs"]
    with subprocess.Popen(args, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not list(tmp_path.glob("runs/models/*.json")):
            time.sleep(0.1)
        children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
        os.kill(process.pid, signal.SIGKILL)
    assert len(children) >= 2
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in children):
        assert time.monotonic() < deadline, "a process lives on that nobody waits for"
        time.sleep(0.2)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_a_process_that_dies_is_told_with_the_cell(tmp_path):
    (tmp_path / "dies.py").write_text(
        HEAD + attack("Dies", "RemovalAttack", "def run(self, view, run):\n    os._exit(7)")
    )
    text = grid(games="unremovability", profiles="adi2018").replace(
        "- {name: ftal, lr: 0.001, epochs: 1}", "- 'dies.py:Dies'"
    )
    (tmp_path / "grid.yaml").write_text(text)
    done = command("game", "run", "grid.yaml", "--out", "runs", cwd=tmp_path)
    assert done.returncode == 2
    assert "a process of the run died" in done.stderr
    assert "dies" in done.stderr
    assert json.loads(command("game", "status", "runs", "--json", cwd=tmp_path).stdout)["states"]["to do"] > 0


def test_a_network_that_answers_nan_answers_nothing():
    from wmproto.games.judge import Asked, rebuilt
    from wmproto.models import small_cnn
    from wmproto.models.fit import fresh

    parts = shares(next(iter(parse_grid(grid().encode(), what="g", folder=None).data)), None, 1)
    network = fresh(small_cnn(parts.shape, parts.classes), seed=1, device=torch.device("cpu"))
    with torch.no_grad():
        network[-1].bias[0] = float("nan")
    asked = Asked(rebuilt(network, word="a test"), parts.test, device=torch.device("cpu"))
    assert asked.right == 0
    assert asked.answer(parts.test.x[0].tobytes()) is None


def test_of_equal_scores_the_lowest_class_is_the_answer():
    from wmproto.games.judge import Asked
    from wmproto.models import small_cnn
    from wmproto.models.fit import fresh

    parts = shares(next(iter(parse_grid(grid().encode(), what="g", folder=None).data)), None, 1)
    network = fresh(small_cnn(parts.shape, parts.classes), seed=1, device=torch.device("cpu")).eval()
    with torch.no_grad():
        network[-1].weight.zero_()
    asked = Asked(network, parts.test, device=torch.device("cpu"))
    assert asked.right == int((parts.test.y == 0).sum()) > 0
    assert asked.answer(parts.test.x[0].tobytes()) == 0
