"""Following a log in tests: one look after the other, each by a monitor that was started anew."""

import pytest
from log_samples import signer
from published import KEY, naive_files, objects, put

from wmproto.errors import InclusionError
from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.fork import verify_fork
from wmproto.registry.memory import open_memory
from wmproto.registry.monitor import Monitor
from wmproto.registry.policy import LogPolicy
from wmproto.registry.source import FolderSource

W = signer("witness")
WITNESS = WitnessKey("w.example", W.public)
ALONE = LogPolicy.parse(f"log {KEY}\nquorum none\n".encode())
WITNESSED = LogPolicy.parse(f"log {KEY}\nwitness w {WITNESS}\nquorum w\n".encode())


def look(folder, state, policy=ALONE, **more):
    """One look by a monitor that was started anew."""
    with open_memory(state, list(policy.logs)) as memory:
        return Monitor(FolderSource(folder), policy, memory, **more).update()


def believed(state):
    """What a state folder holds: checkpoint and leaves."""
    return {path.name: path.read_bytes() for path in state.iterdir() if path.name in ("checkpoint", "leaves")}


def files(tmp_path, numbers, name="out", **change):
    """A log of statements with these numbers as files; ``change``: of objects, or of the checkpoint."""
    return put(tmp_path / name, naive_files(objects(numbers), **change))


def forked(folder, state, rule, policy=ALONE):
    """Check that a monitor convicts the log with evidence that stands alone, and believes what it believed."""
    before = believed(state)
    with pytest.raises(InclusionError, match="FORK") as err:
        look(folder, state, policy)
    assert (err.value.rule, err.value.fault) == (rule, "registry")
    assert believed(state) == before
    [path] = state.glob("fork-*.json")
    fork = verify_fork(path.read_bytes(), KEY)
    heads = {verify_checkpoint(note, KEY) for note in (before["checkpoint"], (folder / "checkpoint").read_bytes())}
    assert {fork.older, fork.newer} == heads
    assert str(path) in err.value.hint
    for checkpoint in heads:
        assert f"{checkpoint.size} entries with root" in str(err.value)
    with pytest.raises(InclusionError):
        look(folder, state, policy)
    assert list(state.glob("fork-*.json")) == [path], "said twice, written once"
    return fork


def convicts(state, older, newer):
    """Check that there is evidence, of heads of these sizes."""
    [path] = state.glob("fork-*.json")
    fork = verify_fork(path.read_bytes(), KEY)
    assert (fork.older.size, fork.newer.size) == (older, newer)
    return path.read_bytes()
