"""A monitor before logs that cheat, each cheat built for real, and before servers that are only broken."""

import os
from pathlib import Path

import pytest
from following import ALONE, WITNESS, WITNESSED, W, believed, files, forked, look
from log_samples import LOG, NAME, OWNER, STRANGER
from published import KEY, grow, head, log_of, naive_files, objects, put, sample

from wmproto.crypto.merkle import leaf_hash
from wmproto.errors import (
    ConfigError,
    CorruptStoreError,
    FormatError,
    InclusionError,
    RegistryError,
    SignatureError,
    TrustError,
)
from wmproto.registry.bad_entry import BadEntry
from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.entry import entry_bytes
from wmproto.registry.log import Log
from wmproto.registry.memory import open_memory
from wmproto.registry.monitor import Monitor
from wmproto.registry.note import LogKey, Note
from wmproto.registry.policy import LogPolicy
from wmproto.registry.publish import publish
from wmproto.registry.source import FolderSource
from wmproto.registry.writing import sign_cosignature
from wmproto.wire.compose import compose_envelope
from wmproto.wire.profile import WMPROTO_1
from wmproto.wire.schema import encode_b64

# --- honest logs ------------------------------------------------------------------------------------------------


def test_an_honest_log_is_followed(tmp_path, state):
    log = Log.create(tmp_path / "log.db", NAME, LOG)
    size = 0
    for after in (0, 1, 3, 255, 256, 257, 511, 512, 513):
        if after > size:
            grow(log, [sample(n) for n in range(size, after)])
        publish(log, tmp_path / "out")
        update = look(tmp_path / "out", state)
        assert (update.old.size if update.old else 0, update.seen.size, update.new) == (size, after, after - size)
        assert (update.bad, update.unwitnessed, update.stale) == ((), None, False)
        again = look(tmp_path / "out", state)
        assert (again.new, again.old, again.seen) == (0, update.seen, update.seen)
        size = after
    assert believed(state)["leaves"] == b"".join(leaf_hash(entry) for entry, _ in objects(range(513)))
    log.close()


def test_one_monitor_follows_without_being_started_anew(tmp_path, state):
    said = []
    with open_memory(state, [KEY]) as memory:
        monitor = Monitor(FolderSource(tmp_path / "out"), ALONE, memory, progress=lambda *at: said.append(at))
        for size in (2, 2, 300, 301):
            files(tmp_path, range(size))
            assert monitor.update().seen.size == size
        files(tmp_path, [*range(299), 999, 1000, 1001])
        with pytest.raises(InclusionError, match="FORK"):
            monitor.update()
        files(tmp_path, range(302))
        with pytest.raises(InclusionError, match="FORK"):  # a log that has forked once stays convicted
            monitor.update()
    assert said == [(2, 2), (254, 298), (298, 298), (1, 1)]


def test_a_look_that_shows_nothing_new_hashes_no_tree(tmp_path, state, monkeypatch):
    with open_memory(state, [KEY]) as memory:
        monitor = Monitor(FolderSource(files(tmp_path, range(300))), ALONE, memory)
        monitor.update()
        monkeypatch.setattr("wmproto.registry.memory.tree_root", None)
        assert monitor.update().new == 0
        assert memory.root(300) == monitor.update().seen.root


def test_only_what_is_new_is_read(tmp_path, state):
    look(files(tmp_path, range(600)), state)
    for name in ("tile/0/000", "tile/0/001", "tile/entries/000", "tile/entries/001"):
        (tmp_path / "out" / name).unlink()
    kept = {Path(name).name for name in naive_files(objects(range(600, 700))) if name.startswith("statement")}
    files(tmp_path, range(700), "next")
    for path in (tmp_path / "next" / "statement").rglob("*"):
        if path.is_file() and path.name not in kept:
            path.unlink()
    for name in ("tile/0/000", "tile/0/001", "tile/entries/000", "tile/entries/001"):
        (tmp_path / "next" / name).unlink()
    assert look(tmp_path / "next", state).new == 100


# --- logs that cheat --------------------------------------------------------------------------------------------

PAST = tuple(range(7))
CHEATS = {
    "a new log under the same name and key, smaller": (100, 101),
    "a new log under the same name and key, of one size": tuple(range(100, 107)),
    "a new log under the same name and key, larger": tuple(range(100, 120)),
    "rolled back, and another entry": (0, 1, 2, 3, 4, 50),
    "rolled back, and others up to the same size": (0, 1, 2, 3, 4, 50, 51),
    "rolled back, and others beyond": (0, 1, 2, 3, 4, 50, 51, 52, 53),
    "an entry dropped": (0, 1, 3, 4, 5, 6),
    "an entry dropped, and more appended": (0, 1, 3, 4, 5, 6, 7, 8, 9),
    "an entry changed": (0, 1, 50, 3, 4, 5, 6, 7),
    "two entries exchanged": (0, 1, 3, 2, 4, 5, 6),
    "two entries exchanged, and more": (0, 1, 3, 2, 4, 5, 6, 7, 8),
    "an entry put before": (50, 0, 1, 2, 3, 4, 5, 6),
    "the last one changed": (0, 1, 2, 3, 4, 5, 50),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_log_that_forks_is_convicted(tmp_path, state, cheat):
    """Two logs of one name and key, each honest to its own database, one shown after the other."""
    for name, numbers in (("one", PAST), ("two", CHEATS[cheat])):
        log = log_of(tmp_path / f"{name}.db", numbers)
        publish(log, tmp_path / name)
        log.close()
    assert look(tmp_path / "one", state).new == 7
    size = len(CHEATS[cheat])
    fork = forked(tmp_path / "two", state, "reg-monitor-3" if size > 7 else "reg-monitor-2")
    assert fork.older.size == min(7, size)
    before = believed(state)
    with pytest.raises(InclusionError, match="FORK"):  # whatever it shows later
        look(tmp_path / "one", state)
    assert believed(state) == before, "what was believed is believed"


@pytest.mark.parametrize("where", [0, 255, 256, 299])
@pytest.mark.parametrize("size", [300, 301, 513, 700])
def test_one_changed_entry_in_a_larger_log(tmp_path, state, where, size):
    look(files(tmp_path, range(300)), state)
    other = [*range(where), 5000, *range(where + 1, size)]
    forked(files(tmp_path, other, "other"), state, "reg-monitor-3" if size > 300 else "reg-monitor-2")


def test_a_head_of_nothing_with_a_root_of_something(tmp_path, state):
    look(files(tmp_path, PAST), state)
    forked(put(tmp_path / "none", {"checkpoint": head([], 0, bytes(32))}), state, "reg-monitor-2")


def test_the_fork_is_proved_from_what_is_remembered(tmp_path, state):
    """The log shows a smaller head and no tiles at all."""
    look(files(tmp_path, range(300)), state)
    leaves = [leaf_hash(entry) for entry, _ in objects([*range(100), 5000, *range(101, 290)])]
    forked(put(tmp_path / "bare", {"checkpoint": head(leaves)}), state, "reg-monitor-2")


def test_a_missing_quorum_a_bad_line_and_withheld_statements_hide_no_fork(tmp_path, state):
    look(files(tmp_path, PAST), state, WITNESSED)
    other = files(tmp_path, CHEATS["rolled back, and others beyond"], "other")
    for path in (other / "statement").rglob("*"):
        if path.is_file():
            path.unlink()
    forked(other, state, "reg-monitor-3", WITNESSED)
    note = (other / "checkpoint").read_bytes()
    line = sign_cosignature("another text\n", WITNESS, W, 5)
    (other / "checkpoint").write_bytes(note + line.encode())
    fresh = tmp_path / "fresh"
    look(tmp_path / "out", fresh, WITNESSED)
    forked(other, fresh, "reg-monitor-3", WITNESSED)


def test_evidence_holds_the_lines_of_those_who_are_known_and_no_others(tmp_path, state):
    def witnessed(folder):
        note = (folder / "checkpoint").read_bytes()
        text = Note.parse(note).text
        known = sign_cosignature(text, WITNESS, W, 5)
        other = WitnessKey("x.example", STRANGER.public)
        (folder / "checkpoint").write_bytes(note + known.encode() + sign_cosignature(text, other, STRANGER, 5).encode())
        return folder

    look(witnessed(files(tmp_path, PAST)), state, WITNESSED)
    other = witnessed(files(tmp_path, CHEATS["an entry changed"], "other"))
    with pytest.raises(InclusionError, match="FORK"):
        look(other, state, WITNESSED)
    [path] = state.glob("fork-*.json")
    evidence = path.read_text()
    assert evidence.count("w.example") == 2
    assert "x.example" not in evidence


def test_junk_lines_cannot_make_the_evidence_too_large(tmp_path, state):
    def stuffed(folder):
        note = (folder / "checkpoint").read_bytes()
        junk = '"' * 1000
        lines = "".join(f"\u2014 {junk} AAAAAAA=\n" for _ in range(60))
        (folder / "checkpoint").write_bytes(note + lines.encode())
        return folder

    look(stuffed(files(tmp_path, PAST)), state)
    with pytest.raises(InclusionError, match="FORK"):
        look(stuffed(files(tmp_path, CHEATS["an entry changed"], "other")), state)
    [path] = state.glob("fork-*.json")
    assert len(path.read_bytes()) < 2000


# --- logs that are slow -----------------------------------------------------------------------------------------


def test_a_smaller_head_of_the_same_past_is_stale_and_changes_nothing(tmp_path, state):
    look(files(tmp_path, range(300)), state)
    before = believed(state)
    for size in (299, 256, 255, 1, 0):
        update = look(files(tmp_path, range(size), f"old {size}"), state)
        assert update.stale
        assert (update.seen.size, update.new) == (size, 0)
        assert believed(state) == before


# --- entries that do not hold -----------------------------------------------------------------------------------


def entry_of(envelope, kind="key"):
    return entry_bytes(WMPROTO_1, kind, envelope), envelope.payload


def bad_entries():
    honest = sample(3)
    in_anothers_name = compose_envelope(honest.payload, OWNER.public, STRANGER.sign(b"whatever"))
    tampered = compose_envelope(sample(4).payload, OWNER.public, honest.signature)
    return {
        "in another's name": (entry_of(in_anothers_name), "does not verify"),
        "a signature of another statement": (entry_of(tampered), "does not verify"),
        "of another type": (entry_of(honest, "release"), "predicate type"),
        "of no type": (entry_of(honest, "gossip"), "types"),
        "no statement": (entry_of(OWNER.envelope(b"{}")), "statement"),
        "no entry": ((b"just bytes", None), "not an entry"),
        "empty": ((b"", None), "not an entry"),
        "an entry and a byte": ((entry_of(honest)[0] + b"x", None), "not an entry"),
        "withheld": ((entry_of(honest)[0], None), "not to be had"),
        "no key": (entry_of(compose_envelope(honest.payload, bytes(32), honest.signature)), "public key"),
    }


@pytest.mark.parametrize("name", bad_entries())
def test_an_entry_that_does_not_hold_is_reported_by_its_index(tmp_path, state, name):
    bad, reason = bad_entries()[name]
    entries = [*objects([0, 1]), bad, *objects([5])]
    [found] = look(put(tmp_path / "out", naive_files(entries)), state).bad
    assert found.index == 2
    assert reason in found.reason
    update = look(put(tmp_path / "out", naive_files([*entries, *objects([6])])), state)
    assert (update.bad, update.new) == ((), 1), "following goes on"


def test_a_statement_that_was_changed_is_reported(tmp_path, state):
    folder = files(tmp_path, PAST)
    digest = sample(4).payload_hash.hex()
    (folder / f"statement/{digest[:2]}/{digest}").write_bytes(sample(5).payload)
    assert look(folder, state).bad == (BadEntry(4, look_reason(folder)),)


def look_reason(folder):
    return f"{folder}: a statement has another hash than its name"


# --- witnesses --------------------------------------------------------------------------------------------------


def test_a_missing_quorum_is_reported_and_the_head_remembered(tmp_path, state):
    folder = files(tmp_path, PAST)
    update = look(folder, state, WITNESSED)
    assert "lacks the quorum" in update.unwitnessed
    assert update.new == 7
    note = (folder / "checkpoint").read_bytes()
    line = sign_cosignature(Note.parse(note).text, WITNESS, W, 5)
    (folder / "checkpoint").write_bytes(note + line.encode())
    assert look(folder, state, WITNESSED).unwitnessed is None


def test_a_line_of_a_known_witness_that_does_not_verify_refuses_the_head(tmp_path, state):
    look(files(tmp_path, range(5)), state, WITNESSED)
    before = believed(state)
    for line in (sign_cosignature("another text\n", WITNESS, W, 5), f"\u2014 w.example {short()}\n"):
        for size in (5, 7):
            folder = files(tmp_path, range(size))
            note = (folder / "checkpoint").read_bytes()
            (folder / "checkpoint").write_bytes(note + line.encode())
            with pytest.raises((SignatureError, FormatError)):
                look(folder, state, WITNESSED)
            assert believed(state) == before


def short():
    return encode_b64(WITNESS.key_id + bytes(70))


def test_a_head_that_the_log_did_not_sign_means_nothing(tmp_path, state):
    look(files(tmp_path, PAST), state)
    before = believed(state)
    leaves = [leaf_hash(entry) for entry, _ in objects((100, 101))]
    for note, kind in (
        (head(leaves, signer=STRANGER), SignatureError),
        (head(leaves, name="log.test/2"), TrustError),
        (b"not a note\n", FormatError),
        (head(leaves)[:-4] + b"AAA\n", (SignatureError, FormatError)),
    ):
        with pytest.raises(kind):
            look(put(tmp_path / "out", naive_files(objects((100, 101)), note)), state)
        assert believed(state) == before
        assert not list(state.glob("fork*"))


def test_a_state_follows_one_log(tmp_path, state):
    other = LogKey("log.test/2", STRANGER.public)
    both = LogPolicy.parse(f"log {KEY}\nlog {other}\nquorum none\n".encode())
    look(files(tmp_path, PAST), state, both)
    leaves = [leaf_hash(entry) for entry, _ in objects((100, 101))]
    note = head(leaves, signer=STRANGER, name="log.test/2")
    with pytest.raises(ConfigError, match="follows another"):
        look(put(tmp_path / "two", naive_files(objects((100, 101)), note)), state, both)
    only = LogPolicy.parse(f"log {other}\nquorum none\n".encode())
    with pytest.raises(CorruptStoreError, match="does not name"):
        look(tmp_path / "out", state, only)


# --- damage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", [0, 200, 256, 299])
def test_every_file_that_is_damaged_is_noticed_and_convicts_nobody(tmp_path, state, known):
    """One file at a time, of those that are new to the monitor: changed, cut, longer, gone."""
    whole = naive_files(objects(range(300)))
    if known:
        look(files(tmp_path, range(known), "first"), state)
    new = [name for name in whole if name not in naive_files(objects(range(known)))]
    statements = [name for name in new if name.startswith("statement")]
    noticed = 0
    for name in [*(n for n in new if n not in statements), *statements[:2], "checkpoint"]:
        for change in (flip, lambda data: data[:-1], lambda data: data + b"\n", None):
            folder = put(tmp_path / "out", whole)
            path = folder / name
            path.write_bytes(change(path.read_bytes())) if change else path.unlink()
            copy = tmp_path / f"state {noticed}"
            if known:
                put(copy, believed(state))
            before = believed(copy) if known else {}
            try:
                update = look(folder, copy)
                assert name in statements
                assert len(update.bad) == 1
            except InclusionError:
                raise AssertionError(f"{name} convicts the log") from None
            except (RegistryError, FormatError, SignatureError):
                assert name not in statements
                assert (believed(copy) if copy.exists() else {}) == before
            noticed += 1
    assert noticed >= 12


def flip(data):
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_a_head_whose_tree_nobody_has_convicts_nobody(tmp_path, state):
    look(files(tmp_path, PAST), state)
    before = believed(state)
    folder = files(tmp_path, range(9), note=head([], 9, bytes(32)))
    with pytest.raises(RegistryError, match="do not hash to the checkpoint"):
        look(folder, state)
    assert believed(state) == before
    assert not list(state.glob("fork*"))


def test_a_head_of_a_huge_size_costs_nothing(tmp_path, state):
    with pytest.raises(RegistryError, match="new entries: more than 4194304 at once"):
        look(put(tmp_path / "out", {"checkpoint": head([], (1 << 63) - 1, bytes(32))}), state)


def test_the_old_tiles_damaged_and_new_ones_right_is_damage_too(tmp_path, state):
    """The new tile begins with entries that the monitor knows, and one of them was changed in the file only."""
    look(files(tmp_path, range(257)), state)
    whole = naive_files(objects(range(260)))
    name = "tile/0/001.p/4"
    folder = put(tmp_path / "out", whole | {name: bytes(32) + whole[name][32:]})
    with pytest.raises(RegistryError, match="do not hash"):
        look(folder, state)
    name = "tile/entries/001.p/4"
    first = int.from_bytes(whole[name][:2], "big") + 2
    changed = whole[name][: first - 1] + b"?" + whole[name][first:]
    folder = put(tmp_path / "out", whole | {name: changed})
    with pytest.raises(RegistryError, match="entry 256"):
        look(folder, state)


# --- what is remembered -----------------------------------------------------------------------------------------


def test_what_an_update_that_broke_off_left_is_cut(tmp_path, state, monkeypatch):
    look(files(tmp_path, range(5)), state)
    before = believed(state)
    files(tmp_path, range(9))
    for name in ("replace", "sync_folder"):
        with monkeypatch.context() as patch:

            def broken(*_args):
                raise ConfigError("the disk is full")

            patch.setattr(f"wmproto.registry.memory.{name}", broken)
            with pytest.raises(ConfigError):
                look(tmp_path / "out", state)
        assert len(believed(state)["leaves"]) == 9 * 32, "the leaves were there"
        assert believed(state)["checkpoint"] == before["checkpoint"]
    with (state / "leaves").open("ab") as file:
        file.write(b"torn")
    assert look(tmp_path / "out", state).old.size == 5
    assert believed(state)["leaves"] == b"".join(leaf_hash(entry) for entry, _ in objects(range(9)))


def test_a_first_look_that_broke_off(tmp_path, state):
    state.mkdir()
    (state / "leaves").write_bytes(bytes(100))
    assert look(files(tmp_path, range(2)), state).old is None
    assert len(believed(state)["leaves"]) == 64


@pytest.mark.parametrize(
    ("name", "change"),
    [("leaves", flip), ("leaves", lambda data: data[:-1]), ("leaves", lambda data: b""), ("leaves", None),
     ("checkpoint", flip), ("checkpoint", lambda data: data + b"x"), ("checkpoint", lambda data: data[:40])],
)  # fmt: skip
def test_a_damaged_state_is_refused(tmp_path, state, name, change):
    look(files(tmp_path, range(5)), state)
    path = state / name
    path.write_bytes(change(path.read_bytes())) if change else path.unlink()
    before = believed(state)
    with pytest.raises(CorruptStoreError):
        look(tmp_path / "out", state)
    assert believed(state) == before


def test_two_monitors_do_not_share_a_state(tmp_path, state):
    folder = files(tmp_path, range(5))
    with open_memory(state, [KEY]), pytest.raises(RegistryError, match="another process"):
        look(folder, state)


def test_a_state_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    for state in (tmp_path / "file", tmp_path / "no" / "parent"):
        with pytest.raises(ConfigError), open_memory(state, [KEY]):
            pass


def test_a_killed_monitor_goes_on(tmp_path, state):
    """Killed while it writes, in a process of its own, many times: what it believes always holds."""
    sizes = (40, 120, 255, 300, 500)
    for size in sizes:
        files(tmp_path, range(size))
        for tick in (2, 5, 9, None):
            child = os.fork()
            if child == 0:
                try:
                    if tick is not None:
                        die_after(tick)
                    look(tmp_path / "out", state)
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
            if (state / "checkpoint").exists():
                size_now = verify_checkpoint((state / "checkpoint").read_bytes(), KEY).size
                right = b"".join(leaf_hash(entry) for entry, _ in objects(range(size_now)))
                assert believed(state)["leaves"][: len(right)] == right
        assert look(tmp_path / "out", state).seen.size == size


def die_after(calls):
    """Let this process die at its n-th write, sync or rename."""
    import wmproto.registry.memory as memory
    from wmproto.wire import writing

    left = [calls]

    def counted(real):
        def call(*args, **kw):
            left[0] -= 1
            if left[0] == 0:
                os._exit(9)
            result = real(*args, **kw)
            left[0] -= 1
            if left[0] == 0:
                os._exit(9)
            return result

        return call

    for module, name in ((memory, "replace"), (memory, "sync_folder"), (writing, "sync_folder"), (os, "fsync")):
        setattr(module, name, counted(getattr(module, name)))
