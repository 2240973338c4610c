"""A whole run, small and real: every game, resumed, killed, damaged, failing, and with a stranger's attack."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
import torch
from grid_samples import TINY, grid

from wmproto.games.record import Record, parse_record, schema

pytestmark = [pytest.mark.torch, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
SMALL = grid(games="[functionality, unremovability]", profiles="adi2018")

OWN = '''"""Moves every weight a little: an attack of somebody who read docs/researcher.md."""
from dataclasses import dataclass
from typing import ClassVar

import torch

from wmproto.attacks.attack import RemovalAttack


@dataclass(frozen=True)
class Shake(RemovalAttack):
    name: ClassVar[str] = "shake"
    source: ClassVar[str] = "a test"
    strength: float = 0.01

    def run(self, view, run):
        if self.strength > 5:
            raise RuntimeError("too strong\\nby far")
        network = view.network()
        with torch.no_grad():
            for p in network.parameters():
                p.add_(self.strength * torch.randn(p.shape, generator=run.generator))
        return network
'''


def command(*args, **kw):
    return subprocess.run(
        [sys.executable, "-m", "wmproto", *map(str, args)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        **kw,
    )


def records(runs):
    return [parse_record(line, what="line") for line in (runs / "records.jsonl").read_bytes().splitlines()]


def but_cost(runs):
    return [record.model_copy(update={"cost": None}) for record in records(runs)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of every game, played to its end by two processes."""
    home = tmp_path_factory.mktemp("whole")
    (home / "grid.yaml").write_text(TINY)
    done = command("game", "run", home / "grid.yaml", "--out", home / "runs")
    assert done.returncode == 0, done.stderr + done.stdout
    return home / "runs"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A smaller run, played by one process."""
    home = tmp_path_factory.mktemp("small")
    (home / "grid.yaml").write_text(SMALL)
    done = command("game", "run", home / "grid.yaml", "--out", home / "runs", "--workers", 1)
    assert done.returncode == 0, done.stderr + done.stdout
    return home


def test_every_cell_is_played_and_every_record_is_of_the_published_schema(whole):
    found = records(whole)
    assert len(found) == 2 * 15
    assert {record.state for record in found} == {"played"}
    published = json.loads((ROOT / "specs" / "game-record.schema.json").read_bytes())
    for line in (whole / "records.jsonl").read_text().splitlines():
        jsonschema.validate(json.loads(line), published)


def test_the_published_schema_is_the_codes():
    assert (ROOT / "specs" / "game-record.schema.json").read_bytes() == schema()


def test_in_every_game_the_no_op_loses_and_the_cheater_wins(whole):
    alone = [r for r in records(whole) if r.adversary is not None and r.adversary.kind in ("no-op", "cheater")]
    assert len(alone) == 2 * 2 * 4
    for record in alone:
        assert record.won == (record.adversary.kind == "cheater"), (record.game, record.profile)


def test_controls_are_beside_every_result(whole):
    for record in records(whole):
        if record.game == "unremovability":
            assert record.accuracy.twin
            assert record.accuracy.independent
            assert record.retention.twin.share < 0.5
            assert record.retention.independent.share < 0.5
            if record.adversary.kind in ("removal", "extraction", "evasion"):
                assert record.accuracy.control
                assert record.retention.control


def test_costs_are_counted_to_the_sample(whole):
    used = {r.adversary.name: r.used for r in records(whole) if r.used is not None and r.profile == "wmproto/1"}
    assert (used["ftal"].forward, used["ftal"].backward, used["ftal"].queries) == (400, 400, 0)
    assert used["extract-hard"].queries == 400
    assert used["root-grinding"].queries == 20
    assert used["blur"].backward == 0


def test_a_sample_of_the_liar_stays_what_luck_gives(whole):
    for record in records(whole):
        if record.game in ("false-claim", "non-trivial-ownership") and record.profile == "wmproto/1":
            assert record.won == (record.adversary.kind == "cheater")


def test_two_processes_and_one_give_the_same_records(whole, small):
    ours = {record.cell: record for record in but_cost(small / "runs")}
    theirs = {record.cell: record for record in but_cost(whole)}
    assert set(ours) < set(theirs)
    for cell, record in ours.items():
        assert record == theirs[cell].model_copy(update={"grid": record.grid})


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_records(small, tmp_path):
    (tmp_path / "grid.yaml").write_text(SMALL)
    args = [sys.executable, "-m", "wmproto", "game", "run", "grid.yaml", "--out", "runs"]
    for seconds in (4.0, 5.0, 6.0):
        with subprocess.Popen(args, cwd=tmp_path, start_new_session=True, stdout=subprocess.DEVNULL) as process:
            time.sleep(seconds)
            os.killpg(process.pid, signal.SIGKILL)
        if (tmp_path / "runs" / "run.json").exists():
            args = [sys.executable, "-m", "wmproto", "game", "resume", "runs"]
        else:
            assert not (tmp_path / "runs").exists()
    done = command("game", "resume", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert but_cost(tmp_path / "runs") == but_cost(small / "runs")


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path):
    (tmp_path / "grid.yaml").write_text(SMALL)
    args = [sys.executable, "-m", "wmproto", "game", "run", "grid.yaml", "--out", "runs"]
    with subprocess.Popen(args, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.glob("runs/models/*.json")):
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "stopped" in said
    found = command("game", "status", tmp_path / "runs", "--json")
    assert json.loads(found.stdout)["states"]["to do"] > 0


def test_a_damaged_model_is_refused_by_its_digest_and_nothing_is_lost(small, tmp_path):
    shutil.copytree(small / "runs", tmp_path / "runs")
    cells = sorted((tmp_path / "runs" / "cells").iterdir())
    kept = {path: path.read_bytes() for path in cells[1:]}
    cells[0].unlink()
    for path in (tmp_path / "runs" / "models").glob("*.safetensors"):
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    done = command("game", "resume", tmp_path / "runs", "--workers", 1)
    assert done.returncode == 5, done.stderr
    assert "has not the digest" in done.stderr
    assert "remove it and resume" in done.stderr
    assert {path: path.read_bytes() for path in cells[1:]} == kept


def test_a_run_of_other_versions_is_read_and_not_gone_on_with(small, tmp_path):
    shutil.copytree(small / "runs", tmp_path / "runs")
    path = tmp_path / "runs" / "run.json"
    path.write_text(path.read_text().replace(torch.__version__, "2.0.0"))
    done = command("game", "resume", tmp_path / "runs")
    assert done.returncode == 2
    assert "a run of other versions: torch 2.0.0" in done.stderr
    path.write_text(path.read_text().replace("wmproto/run@v1", "wmproto/run@v9"))
    done = command("game", "status", tmp_path / "runs")
    assert done.returncode == 3
    assert "wmproto/run@v9" in done.stderr


def test_a_strangers_attack_plays_and_one_that_fails_fails_alone(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    line = "  - {name: 'mine.py:Shake', strength: [0.01, 10.0]}\n  - {name: ftal, epochs: 1000}\n  - {name: ftal, epochs: 1, batch"
    text = SMALL.replace("  - {name: ftal, lr: 0.001, epochs: 1", line + ": 99").replace(
        "backward: 100000", "backward: 300"
    )
    (tmp_path / "grid.yaml").write_text(text)
    done = command("game", "run", tmp_path / "grid.yaml", "--out", tmp_path / "runs", "--workers", 1)
    assert done.returncode == 4, done.stderr + done.stdout
    found = {
        (r.adversary.name, r.adversary.settings.get("strength")): r for r in records(tmp_path / "runs") if r.adversary
    }
    assert found["shake", 0.01].state == "played"
    assert found["shake", 10.0].state == "failed"
    assert found["shake", 10.0].error == "cannot make the control: RuntimeError: too strong by far"
    assert (
        found["ftal", None].error == "cannot make the control: the budget does not pay for one pass over 400 pictures"
    )
    assert found["blur", None].state == "played"
    assert "too strong by far" in done.stdout


def test_nothing_is_started_where_something_is_missing(tmp_path):
    (tmp_path / "grid.yaml").write_text(SMALL.replace("name: made,", "name: mine, file: mine.npz,"))
    out = tmp_path / "runs"
    for extra, said in (
        ((), "--data FOLDER"),
        (("--data", tmp_path), "mine.npz"),
        (("--device", "cuda:77"), "no device cuda:77"),
        (("--device", "tpu"), "there is no device 'tpu'"),
    ):
        done = command("game", "run", tmp_path / "grid.yaml", "--out", out, *extra)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
        assert not out.exists()
    (tmp_path / "grid.yaml").write_text(SMALL.replace("owner: 600", "owner: 60000"))
    done = command("game", "run", tmp_path / "grid.yaml", "--out", out)
    assert done.returncode == 2
    assert "made has 8000 pictures, the shares need 61200" in done.stderr
    assert not out.exists()


def test_a_dry_run_tells_and_writes_nothing(tmp_path):
    (tmp_path / "grid.yaml").write_text(TINY)
    done = command("game", "run", tmp_path / "grid.yaml", "--out", tmp_path / "runs", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["cells"] == 30
    assert told["models"] == 8
    assert told["minutes"] > 0
    assert told["bytes"] > 100_000
    assert not (tmp_path / "runs").exists()


def test_a_record_says_nothing_twice_and_reads_back(whole):
    for line in (whole / "records.jsonl").read_bytes().splitlines(keepends=True):
        assert parse_record(line, what="line").to_line() == line
    assert Record.model_config["extra"] == "forbid"


def test_a_page_is_built_of_several_runs_and_overwrites_nothing(whole, small, tmp_path):
    page = tmp_path / "page.html"
    done = command("report", "build", whole, small / "runs", "--out", page, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["records"], told["missing"]) == (30 + 6, 0)
    text = page.read_text()
    assert len(text.encode()) == told["bytes"]
    for part in ("Table 1", "Figure 6", "cheater won", "guessed-opening"):
        assert part in text
    again = command("report", "build", whole, "--out", page)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert page.read_text() == text


def test_a_page_of_an_unfinished_run_names_what_is_missing(small, tmp_path):
    shutil.copytree(small / "runs", tmp_path / "runs")
    for path in sorted((tmp_path / "runs" / "cells").iterdir())[1:]:
        path.unlink()
    done = command("report", "build", tmp_path / "runs", "--out", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    assert "5 missing" in done.stdout
    for path in (tmp_path / "runs" / "cells").iterdir():
        path.unlink()
    done = command("report", "build", tmp_path / "runs", "--out", tmp_path / "other.html")
    assert done.returncode == 2
    assert "is played yet" in done.stderr


def test_on_a_full_disk_the_run_stops_with_one_line_and_goes_on_when_there_is_room(small, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", disk], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no disk of our own can be mounted here")
    try:
        (disk / "grid.yaml").write_text(SMALL)
        done = command("game", "run", "grid.yaml", "--out", "runs", "--workers", 1, cwd=disk)
        assert done.returncode == 2, done.stderr
        assert "no space left on device" in done.stderr
        assert "the disk is full" in done.stderr
        assert "Traceback" not in done.stderr
        kept = {path.name for path in (disk / "runs" / "models").glob("*.json")}
        assert kept
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        done = command("game", "resume", "runs", "--workers", 1, cwd=disk)
        assert done.returncode == 0, done.stderr
        assert but_cost(disk / "runs") == but_cost(small / "runs")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=False)
