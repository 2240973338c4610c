"""Training that is cut off goes on, and what a check of a model says: the expected verdict, int8 copies."""

import json
import re
import time
from unittest import mock

import pytest
from town import PASS, check_error, dispute, run, snapshot, spawn

from wmproto.models import Savepoint, float32_copy, int8_copy

TRAIN = ("mark", "train", "mykey", "--key", "owner.key", "--data", "data.npz", "--rows", 64, *PASS)
SHORT = (*TRAIN, "--seed", 1, "--epochs", 3, "--out", "m")
CHECK = ("mark", "check", "mykey", "--key", "owner.key", *PASS, "--model")


class Stop:
    """Savepoint.save that stops the command after its n-th call."""

    def __init__(self, after: int) -> None:
        self.left, self.real = after, Savepoint.save

    def __call__(self, *args, **kw):
        self.real(*args, **kw)
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def cut_off(home, after, command=SHORT):
    stop = Stop(after)
    with mock.patch.object(Savepoint, "save", lambda *args, **kw: stop(*args, **kw)):
        assert run(*command, cwd=home).code == 130


# --- training


@pytest.mark.slow
def test_training_that_is_killed_goes_on_to_the_same_bytes(home):
    long = (*TRAIN, "--seed", 5, "--epochs", 50, "--out", "m")
    assert run(*long[:-1], "whole", cwd=home).code == 0
    seen = set()
    for _ in range(2):
        process = spawn(*long, cwd=home)
        before = (home / "m.savepoint").stat().st_mtime_ns if seen else 0
        while not (home / "m.savepoint").exists() or (home / "m.savepoint").stat().st_mtime_ns == before:
            assert process.poll() is None, process.communicate()
            time.sleep(0.005)
        time.sleep(0.1)  # so that it is killed in the middle of some epoch
        process.kill()
        said = process.communicate()[1].decode()
        assert said == "" if not seen else re.fullmatch(r"wmproto: going on after epoch \d+ of 50 .*\n", said)
        assert not (home / "m").exists()
        seen.add((home / "m.savepoint").read_bytes())
    assert len(seen) == 2
    result = run(*long, cwd=home)
    assert result.code == 0
    assert int(re.search(r"after epoch (\d+) of 50", result.err)[1]) > 1
    assert (home / "m").read_bytes() == (home / "whole").read_bytes()
    assert not (home / "m.savepoint").exists()


def test_cut_off_after_each_epoch_it_ends_with_the_same_bytes(home):
    assert run(*SHORT[:-1], "whole", cwd=home).code == 0
    for done in (1, 2, 3):
        cut_off(home, done)
        assert not (home / "m").exists()
        result = run(*SHORT, cwd=home)
        assert result.code == 0
        assert result.err == f"wmproto: going on after epoch {done} of 3 (m.savepoint)\n"
        assert (home / "m").read_bytes() == (home / "whole").read_bytes()
        assert not (home / "m.savepoint").exists()
        (home / "m").unlink()


def test_another_training_takes_no_savepoint_that_is_not_its_own(home):
    cut_off(home, 2)
    (home / "other.npz").write_bytes((home / "data.npz").read_bytes())
    import numpy as np

    with np.load(home / "data.npz") as old:
        np.savez(home / "other.npz", x=old["x"][::-1], y=old["y"])
    before = snapshot(home)
    for changed, name in (
        (("--seed", 2), "seed"),
        (("--epochs", 4), "number of epochs"),
        (("--rows", 63), "rows"),
        (("--data", "other.npz"), "data"),
    ):
        check_error(run(*SHORT, *changed, cwd=home), 2, f"m.savepoint is of a training with another {name}$")
    (home / "m.savepoint").write_bytes(before["m.savepoint"][1][:-9])
    check_error(run(*SHORT, cwd=home), 3, "m.savepoint is no savepoint of a training, or a damaged one$")
    (home / "m.savepoint").write_bytes(before["m.savepoint"][1])
    assert snapshot(home) == before
    assert run(*SHORT, "--savepoint", "elsewhere", cwd=home).code == 0
    assert not (home / "elsewhere").exists()
    assert (home / "m.savepoint").read_bytes() == before["m.savepoint"][1]
    check_error(run(*SHORT, cwd=home), 2, "m exists already")


def test_a_savepoint_in_no_folder_or_in_the_place_of_the_model(home):
    check_error(run(*SHORT, "--savepoint", "no/s", cwd=home), 2, "no is no folder")
    check_error(run(*SHORT, "--savepoint", "m", cwd=home), 2, "m is given twice")
    check_error(run(*SHORT, "--savepoint", "own", cwd=home), 2, "cannot read the savepoint 'own'")


# --- checking


def test_a_check_says_what_verdict_to_expect_and_a_dispute_bears_it_out(home):
    said = run(*CHECK, "marked.safetensors", cwd=home).out
    words = r"expected verdict: DEPENDENT after about 34 of the key's 128 leaves, if none is taken; 48 suffice in 99 of 100 disputes\n"
    assert re.search(words, said)
    said = run(*CHECK, "marked.safetensors", "--registry", "registry.db", cwd=home).out
    assert "after about 34 of the 96 leaves left of the key's 128;" in said
    found = run(*CHECK, "marked.safetensors", "--registry", "registry.db", "--json", cwd=home).json()
    del found["hits"], found["marked"], found["model"]
    assert found == {
        "classes": 100,
        "expected": "DEPENDENT",
        "int8": False,
        "leaves_99": 48,
        "leaves_left": 96,
        "leaves_mean": 34,
    }
    assert run(*dispute("new.json", start=32, count=48), cwd=home).code == 0  # 48 leaves, as said


def test_a_model_that_keeps_too_little_is_told_so(home):
    none = run(*CHECK, "stranger.safetensors", cwd=home).out
    assert "NOT SHOWN: at this retention no number of leaves would do\n" in none
    found = run(*CHECK, "stranger.safetensors", "--json", cwd=home).json()
    assert (found["expected"], found["leaves_99"], found["leaves_mean"], found["leaves_left"]) == (
        "NOT SHOWN", None, None, None,
    )  # fmt: skip
    from wmproto.marking import Retention

    with mock.patch("wmproto.marking.self_check", return_value=Retention(hits=24, total=93)):
        some = run(*CHECK, "marked.safetensors", "--registry", "registry.db", cwd=home).out
    assert re.search(r"NOT SHOWN: it takes about \d{3} of the 96 leaves left of the key's 128\n", some)


def test_a_check_of_leaves_that_are_all_taken(home):
    """24 marks of 93 are too few; 96 leaves were left, then none."""
    assert run(*dispute("rest.json", model="stranger.safetensors", start=32, count=96), cwd=home).code == 10
    said = run(*CHECK, "marked.safetensors", "--registry", "registry.db", cwd=home).out
    assert "NOT SHOWN: it takes about 34 of the 0 leaves left of the key's 128\n" in said


def test_a_check_against_another_log(home):
    run("registry", "new", "other.db", "--origin", "other/1", "--key", "other-log.key", *PASS, cwd=home)
    check = (*CHECK, "marked.safetensors", "--registry", "other.db")
    check_error(run(*check, cwd=home), 2, "mykey was activated in the log log.example/1, and other.db is not that log")
    check_error(run(*CHECK, "marked.safetensors", "--registry", "no.db", cwd=home), 5, "there is no log at no.db")


def test_an_int8_copy_is_asked_as_the_weights_that_it_stands_for(home):
    copy = int8_copy((home / "marked.safetensors").read_bytes())
    (home / "int8").write_bytes(copy)
    (home / "float32").write_bytes(float32_copy(copy))
    said = run(*CHECK, "int8", cwd=home)
    assert said.code == 0
    assert said.out.startswith("an int8 copy: asked as the float32 weights that it stands for\nmarks kept: ")
    of_copy, of_weights = (run(*CHECK, name, "--json", cwd=home).json() for name in ("int8", "float32"))
    assert of_copy == of_weights | {"int8": True}
    assert not of_weights["int8"]
    before = snapshot(home)
    check_error(run(*dispute("new.json", model="int8", start=32), cwd=home), 3, "model: an int8 copy")
    (home / "int8").write_bytes(copy[:-1])
    check_error(run(*CHECK, "int8", cwd=home), 3, "int8 copy: not a safetensors file", hint=False)
    (home / "int8").write_bytes(copy)
    assert snapshot(home) == before
    assert run(*dispute("new.json", model="float32", start=32), cwd=home).code == 0
    assert json.loads((home / "new.json").read_bytes())["steps"]
