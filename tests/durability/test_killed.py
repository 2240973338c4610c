"""kill -9 at any moment: what was acknowledged is there, what is there is whole, the same command goes on.

The moments are drawn from fixed seeds; on top of them each command is killed before each of its steps to the disk.
"""

import random
import shutil
from itertools import count, cycle

import pytest
from killing import duration, killed, killed_at
from town import PASS, check_error, dispute, run
from whole import COMMIT, DISPUTE, SUBMIT, TRAIN, check_receipt, check_whole, entries, in_log, leftovers, steps

pytestmark = [pytest.mark.torch, pytest.mark.slow]

KILLS = 12


@pytest.fixture(scope="module", autouse=True)
def warm(built, tmp_path_factory):
    """Let this process load all that torch loads late: its forks shall spend their short lives on the commands."""
    copy = shutil.copytree(built.home, tmp_path_factory.mktemp("warm") / "home")
    assert run(*TRAIN, "--epochs", 1, cwd=copy).code == 0
    assert run(*DISPUTE, cwd=copy).code == 10


@pytest.fixture
def spare(home, tmp_path):
    """A second copy, to see how a command goes that is let alone."""
    return shutil.copytree(home, tmp_path / "spare")


def kills(command, home, spare, seed):
    """Ways to run a command that kill it: at random moments, then before each step until there is none left."""
    longest, rng = duration(*command, cwd=spare), random.Random(seed)
    for _ in range(KILLS):
        after = rng.uniform(0, longest)
        yield lambda *args, after=after: killed(*args, cwd=home, after=after)
    for step in count(1):
        done = []
        yield lambda *args, step=step, done=done: done.append(killed_at(*args, cwd=home, step=step)) or done[0]
        if done[0] is not None:
            assert step > 2
            return


def temporary(home):
    """Temporary files and folders of killed commands are left, but nothing takes them for whole ones."""
    found = leftovers(home)
    assert all(name.split("/")[0].startswith(".wmproto-") for name in found)
    return len(found)


def test_commit_create(home, spare):
    killed_often = 0
    for kill in kills(COMMIT, home, spare, seed=1):
        result = kill(*COMMIT)
        assert result is None or result.code == 0
        killed_often += result is None
        check_whole(home)
        there = (home / "new").exists()
        assert there or result is None, "what was acknowledged is there"
        again = run(*COMMIT, cwd=home)
        if there:
            check_error(again, 2, "new exists already")
        else:
            assert again.code == 0
        check_whole(home)
        shutil.rmtree(home / "new")
    assert killed_often >= KILLS // 2
    assert temporary(home) <= 3 * killed_often  # a draft holds at most two


def test_registry_submit(home, spare):
    logged, killed_often = entries(home), 0
    for n, kill in enumerate(kills(SUBMIT, home, spare, seed=2)):
        create = ("commit", "create", f"k{n}", "--key", "owner.key", "--leaves", 16, "--classes", "a,b")
        assert run(*create, "--shape", "2x2x1", *PASS, cwd=home).code == 0
        statement, receipt = f"k{n}/statement.json", f"k{n}.proof"
        submit = ("registry", "submit", "registry.db", statement, "--key", "log.key", "--receipt", receipt, *PASS)
        result = kill(*submit)
        assert result is None or result.code == 0
        killed_often += result is None
        there = check_receipt(home, statement, receipt)
        assert there or result is None, "what was acknowledged is there"
        assert entries(home) == logged + in_log(home, statement), "nothing else is lost or logged"
        again = run(*submit, cwd=home)
        assert again.code == 0, "a receipt of the same entry is replaced"
        logged += 1
        assert check_receipt(home, statement, receipt)
        assert entries(home) == logged, "an entry is never doubled"
    assert killed_often >= KILLS // 2
    assert temporary(home) <= killed_often
    check_whole(home)


def test_dispute_run(home, spare):
    """A dispute is killed again and again until it is decided; so is the next one, if that was too few kills."""
    longest, rng = duration(*DISPUTE, cwd=spare), random.Random(3)
    ways = cycle([0, 3, 0, 4, 0, 8, 0, 2, 5, 9])  # at a random moment, or before that step
    killed_often = 0
    for start in range(0, 128, 32):
        command = dispute("new.json", model="stranger.safetensors", start=start, count=32)
        said, result = 0, None
        while result is None:
            if killed_often == 2 * KILLS:
                result = run(*command, cwd=home)
            elif way := next(ways):
                result = killed_at(*command, cwd=home, step=way)
            else:
                result = killed(*command, cwd=home, after=rng.uniform(0, longest))
            killed_often += result is None
            now = steps(home)
            assert now >= said, "a message is lost"
            said = now
        assert result.code == 10, result.err
        assert run(*command, cwd=home).code == 10, "a dispute that has ended ends alike"
        disputes = start // 32 + 1
        assert (entries(home, "admit"), entries(home, "decide")) == (disputes, disputes)
        assert run("registry", "export", "registry.db", "copy.jsonl", cwd=home).code == 0
        audit = ("dispute", "audit", "new.json", "--trust", "trust.json", "--log-copy", "copy.jsonl", "--json")
        audited = run(*audit, cwd=home)
        assert audited.code == 10
        found = audited.json()
        assert (found["findings"], found["leaves"], found["unopened"], found["decided"]) == ([], 32, 0, True)
        (home / "new.json").unlink()
        if killed_often >= KILLS:
            break
    assert killed_often >= KILLS
    assert temporary(home) <= killed_often
    check_whole(home)


def test_mark_train(home, spare):
    train = (*TRAIN, "--epochs", 20)
    longest, rng, ways = duration(*train, cwd=spare), random.Random(4), cycle([0, 5, 0, 0, 8, 0, 2])
    killed_often, result = 0, None
    while result is None and not (home / "new.model").exists():
        if killed_often == KILLS:
            result = run(*train, cwd=home)
        elif way := next(ways):
            result = killed_at(*train, cwd=home, step=way)
        else:
            result = killed(*train, cwd=home, after=rng.uniform(0, longest))
        killed_often += result is None
        check_whole(home)
    assert result is None or result.code == 0, result.err
    if (home / "new.model.savepoint").exists():  # killed between the last two steps
        check_error(run(*train, cwd=home), 2, "new.model exists already")
    assert killed_often >= 3
    assert (home / "new.model").read_bytes() == (spare / "new.model").read_bytes()
    assert temporary(home) <= killed_often


def test_training_that_is_killed_right_after_the_model_was_written_says_what_to_do(home):
    train = (*TRAIN, "--epochs", 1)
    assert run(*train, cwd=home).code == 0
    whole = (home / "new.model").read_bytes()
    (home / "new.model").unlink()
    assert killed_at(*train, cwd=home, step=3) is None  # the savepoint is synced and named, its folder not synced
    assert killed_at(*train, cwd=home, step=3) is None  # likewise the model
    assert (home / "new.model").read_bytes() == whole
    assert (home / "new.model.savepoint").exists()
    result = run(*train, cwd=home)
    check_error(result, 2, "new.model exists already")
    assert "it is whole: remove the latter" in result.err
