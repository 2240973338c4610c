"""Heads that a log signed and a monitor does not believe: none is forgotten, and each can convict."""

import shutil
from hashlib import sha256

import pytest
from following import ALONE, WITNESS, WITNESSED, W, believed, convicts, files, look
from log_samples import LOG, NAME, STRANGER
from published import KEY, head, objects, put
from serving import answering, ok

from wmproto.errors import CorruptStoreError, FormatError, InclusionError, RegistryError, SignatureError
from wmproto.registry import pending
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.memory import Memory, open_memory
from wmproto.registry.monitor import Monitor
from wmproto.registry.note import Note
from wmproto.registry.policy import LogPolicy
from wmproto.registry.source import FolderSource
from wmproto.registry.writing import sign_cosignature, sign_note
from wmproto.wire.schema import encode_b64

# --- heads that cannot be followed are not forgotten ------------------------------------------------------------


def withheld(folder, name):
    (folder / name).unlink()
    return folder


@pytest.mark.parametrize("lost", ["tile/entries/000.p/9", "tile/0/000.p/9"])
def test_a_head_whose_files_are_withheld_convicts_when_another_past_is_shown(tmp_path, state, lost):
    look(files(tmp_path, range(7)), state)
    with pytest.raises(RegistryError):
        look(withheld(files(tmp_path, [*range(7), 100, 101], "a"), lost), state)
    with pytest.raises(InclusionError, match="FORK") as err:
        look(files(tmp_path, range(10), "b"), state)
    assert err.value.rule == "reg-monitor-2"
    convicts(state, 9, 10)
    with pytest.raises(InclusionError, match="FORK"):
        look(files(tmp_path, range(11), "c"), state)


def test_a_withheld_head_of_the_same_past_is_let_go(tmp_path, state):
    look(files(tmp_path, range(7)), state)
    with pytest.raises(RegistryError):
        look(withheld(files(tmp_path, range(9), "a"), "tile/0/000.p/9"), state)
    assert len(list((state / "pending").iterdir())) == 1
    assert look(files(tmp_path, range(10), "b"), state).new == 3
    assert list((state / "pending").iterdir()) == []
    assert list(state.glob("fork-*")) == []


def test_a_head_with_a_bad_line_of_a_known_witness_is_not_forgotten(tmp_path, state):
    look(files(tmp_path, range(7)), state, WITNESSED)
    folder = files(tmp_path, [*range(6), 66, 7, 8], "a")
    note = (folder / "checkpoint").read_bytes()
    (folder / "checkpoint").write_bytes(note + sign_cosignature("x\n", WITNESS, W, 5).encode())
    withheld(folder, "tile/0/000.p/9")
    with pytest.raises((RegistryError, SignatureError)):
        look(folder, state, WITNESSED)
    with pytest.raises(InclusionError, match="FORK"):
        look(files(tmp_path, range(12), "b"), state, WITNESSED)
    assert b"w.example" not in convicts(state, 9, 12)


def test_two_heads_of_one_size_convict_though_nobody_has_their_trees(tmp_path, state):
    look(files(tmp_path, range(3)), state)
    with pytest.raises(RegistryError):
        look(withheld(files(tmp_path, range(9), "a"), "tile/0/000.p/9"), state)
    with pytest.raises(InclusionError, match="FORK"):
        look(withheld(files(tmp_path, [*range(8), 88], "b"), "tile/0/000.p/9"), state)
    convicts(state, 9, 9)


def test_a_head_with_an_extension_line_is_not_believed_and_convicts(tmp_path, state):
    """Our readers refuse it; other clients of C2SP read it, and witnesses cosign it."""
    look(files(tmp_path, range(7)), state)
    folder = files(tmp_path, [*range(5), 55, 66, 77], "a")
    text = Note.parse((folder / "checkpoint").read_bytes()).text
    for changed in (text + "more\n", text):
        (folder / "checkpoint").write_bytes(sign_note(changed, NAME, LOG))
        with pytest.raises(InclusionError, match="FORK"):
            look(folder, state)
        break
    assert b"more" in convicts(state, 7, 8)
    honest = files(tmp_path, range(8), "b")
    text = Note.parse((honest / "checkpoint").read_bytes()).text
    (honest / "checkpoint").write_bytes(sign_note(text + "more\n", NAME, LOG))
    fresh = tmp_path / "fresh"
    look(files(tmp_path, range(7)), fresh)
    with pytest.raises(FormatError):
        look(honest, fresh)
    assert len(believed(fresh)["leaves"]) == 7 * 32


def test_what_cannot_be_kept_is_not_followed(tmp_path, state, monkeypatch):
    look(files(tmp_path, range(2)), state)
    monkeypatch.setattr(pending, "_MOST", 2)
    for size in (5, 6, 7):
        folder = withheld(files(tmp_path, range(size), f"a{size}"), f"tile/0/000.p/{size}")
        with pytest.raises(RegistryError, match="could not be followed" if size == 7 else "lacks tile"):
            look(folder, state)
    assert len(believed(state)["leaves"]) == 2 * 32
    assert look(files(tmp_path, range(8), "b"), state).new == 6, "a head whose files hold makes room again"
    assert list((state / "pending").iterdir()) == []


def test_heads_that_cannot_be_kept_are_compared_all_the_same(tmp_path, state, monkeypatch):
    """And whoever follows on is told that one was lost."""
    look(files(tmp_path, range(2)), state)
    monkeypatch.setattr(pending, "_MOST", 2)
    for size in (8, 9):
        with pytest.raises(RegistryError, match="lacks tile"):
            look(withheld(files(tmp_path, range(size), f"a{size}"), f"tile/0/000.p/{size}"), state)
    folder = files(tmp_path, range(5), "b")
    theirs = shown(files(tmp_path, range(12), "c"))
    with pytest.raises(RegistryError, match="no room for one of 12 entries"):
        look(folder, state, WITNESSED, ask=asking(w=theirs))
    assert len(believed(state)["leaves"]) == 5 * 32, "the files hold"
    answers = [({"w": theirs}, {}), ({}, {})]
    with open_memory(state, [KEY]) as memory:
        monitor = Monitor(FolderSource(folder), WITNESSED, memory, ask=lambda _policy, _key: answers.pop(0))
        with pytest.raises(RegistryError, match="no room"):
            monitor.update()
        assert not monitor.update().stale, "what an earlier look could not keep is not held against this one"
    other = shown(files(tmp_path, [*range(4), 44], "d"))
    with pytest.raises(InclusionError, match="FORK"):
        look(folder, state, WITNESSED, ask=asking(w=other))
    convicts(state, 5, 5)


def test_a_log_that_was_convicted_is_followed_no_further(tmp_path, state):
    """Also by who has only the evidence left, and whatever the log shows then."""
    look(files(tmp_path, range(7)), state)
    with pytest.raises(InclusionError):
        look(files(tmp_path, [*range(5), 55, 66, 77], "other"), state)
    shutil.rmtree(state / "pending")
    with pytest.raises(InclusionError, match="FORK") as err:
        look(files(tmp_path, range(9), "honest"), state)
    assert (err.value.rule, err.value.fault) == ("reg-monitor-4", "registry")
    assert len(believed(state)["leaves"]) == 7 * 32


def test_bad_entries_are_written_down_before_the_head_is_believed(tmp_path, state, monkeypatch):
    folder = files(tmp_path, range(3))
    for path in (folder / "statement").rglob("*"):
        if path.is_file():
            path.unlink()
    monkeypatch.setattr(Memory, "remember", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        look(folder, state)
    assert sorted(path.name for path in (state / "bad").iterdir()) == ["0", "1", "2"]
    [(entry, _)] = objects([1])
    assert (state / "bad" / "1").read_text() == f"its statement is not to be had\n{encode_b64(entry)}\n"
    monkeypatch.undo()
    assert len(look(folder, state).bad) == 3
    with open_memory(state, [KEY]) as memory:
        assert memory.bad() == 3


# --- what witnesses have seen -----------------------------------------------------------------------------------


def shown(folder, by=W):
    """The head of some files as a witness shows it: cosigned."""
    note = (folder / "checkpoint").read_bytes()
    return note + sign_cosignature(Note.parse(note).text, WITNESS, by, 7).encode()


def asking(**heads):
    return lambda _policy, _key: (heads, {"x": "it cannot be reached"})


def test_a_witness_that_has_seen_more_shows_that_the_files_are_stale(tmp_path, state):
    folder = files(tmp_path, range(5))
    found = look(folder, state, WITNESSED, ask=asking(w=shown(files(tmp_path, range(7), "more"))))
    assert (found.stale, dict(found.ahead), dict(found.silent)) == (True, {"w": 7}, {"x": "it cannot be reached"})
    assert len(believed(state)["leaves"]) == 5 * 32
    found = look(folder, state, WITNESSED, ask=asking(w=shown(folder)))
    assert (found.stale, dict(found.ahead)) == (False, {})


@pytest.mark.parametrize("size", [4, 5, 6])
def test_a_witness_that_was_shown_another_past_convicts_the_log(tmp_path, state, size):
    """The files are honest and never change: without the witness nobody would see it."""
    theirs = shown(files(tmp_path, [*range(3), 33, 44, 55][:size], "theirs"))
    folder = files(tmp_path, range(5))
    if size < 6:
        with pytest.raises(InclusionError, match="FORK"):
            look(folder, state, WITNESSED, ask=asking(w=theirs))
    else:
        assert look(folder, state, WITNESSED, ask=asking(w=theirs)).stale
        with pytest.raises(InclusionError, match="FORK"):
            look(files(tmp_path, range(6), "grown"), state, WITNESSED)
    assert b"w.example" in convicts(state, size, max(size, 5))


def test_a_witness_cannot_spoil_the_evidence(tmp_path, state):
    """It shows a head that convicts, stuffed with lines of nobody: they are left out."""
    quotes = '"' * 1000
    junk = f"\u2014 {quotes} AAAAAAA=\n".encode() * 55
    theirs = shown(files(tmp_path, [*range(3), 33, 44], "theirs")) + junk
    with answering(ok(theirs)) as (url, requests):
        policy = at(url)
        with pytest.raises(InclusionError, match="FORK"):
            look(files(tmp_path, range(5)), state, policy)
    assert requests[0].startswith(b"GET /log/%s/checkpoint HTTP" % sha256(NAME.encode()).hexdigest().encode())
    evidence = convicts(state, 5, 5)
    assert b"w.example" in evidence
    assert len(evidence) < 2000


def at(url):
    return LogPolicy.parse(f"log {KEY}\nwitness w {WITNESS} {url}\nquorum none\n".encode())


def test_what_a_witness_shows_blocks_nothing(tmp_path, state):
    """Also what the log's key signed, and is no head."""
    folder = files(tmp_path, range(5))
    note = (folder / "checkpoint").read_bytes()
    text = Note.parse(note).text
    other = WitnessKey("w.example", STRANGER.public)
    answers = {
        "not to be read": b"hello\n",
        "not the log's": sign_note(text, NAME, STRANGER) + sign_cosignature(text, WITNESS, W, 7).encode(),
        "not its own": note,
        "of another with its name": note + sign_cosignature(text, other, STRANGER, 7).encode(),
        "its line does not verify": note + sign_cosignature("x\n", WITNESS, W, 7).encode(),
        "no size": both_sign(text.replace("\n5\n", "\nfive\n")),
        "of another origin": both_sign(text.replace(NAME, "log.test/2")),
        "one line": both_sign("hello\n"),
        "more than a note may have": both_sign(text + "x" * 70_000 + "\n"),
    }
    for answer in answers.values():
        with answering(ok(answer)) as (url, _):
            found = look(folder, state, at(url))
        assert list(found.silent) == ["w"]
        assert (found.seen.size, dict(found.ahead)) == (5, {})
    for answer in (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", b"", b"junk\r\n\r\n", ok(b"", length=9)):
        with answering(answer) as (url, _):
            assert list(look(folder, state, at(url)).silent) == ["w"]
    with answering(ok(shown(folder))) as (url, _):
        assert dict(look(folder, state, at(url)).silent) == {}
    assert list(state.glob("fork-*")) == list((state / "pending").iterdir()) == []


def both_sign(text):
    return sign_note(text, NAME, LOG) + sign_cosignature(text, WITNESS, W, 7).encode()


def test_the_note_with_the_witnesses_lines_is_the_one_that_is_kept(tmp_path, state):
    look(files(tmp_path, range(5)), state, WITNESSED)
    folder = withheld(files(tmp_path, [*range(3), 33, 44, 55], "a"), "tile/0/000.p/6")
    plain = (folder / "checkpoint").read_bytes()
    for note in (plain, shown(folder), plain):
        (folder / "checkpoint").write_bytes(note)
        with pytest.raises(RegistryError):
            look(folder, state, WITNESSED)
    with pytest.raises(InclusionError, match="FORK"):
        look(files(tmp_path, range(7), "b"), state, WITNESSED)
    assert b"w.example" in convicts(state, 6, 7)


def test_a_convicted_log_that_goes_away_stays_convicted(tmp_path, state):
    look(files(tmp_path, range(5)), state)
    other = files(tmp_path, [*range(3), 33, 44], "other")
    for folder in (other, put(tmp_path / "gone", {"readme": b"closed"})):
        with pytest.raises(InclusionError, match="FORK"):
            look(folder, state)
    [evidence] = state.glob("fork-*.json")
    evidence.write_bytes(evidence.read_bytes()[:-9])
    with pytest.raises(CorruptStoreError, match="is damaged"):
        look(other, state)


@pytest.mark.parametrize("change", [lambda data: b"", lambda data: data[:-9], lambda data: sign_note("x/1\n6\nAA==\n", "x/1", STRANGER)])  # fmt: skip
def test_a_head_that_was_damaged_on_the_disk_is_told(tmp_path, state, change):
    look(files(tmp_path, range(5)), state)
    with pytest.raises(RegistryError):
        look(withheld(files(tmp_path, range(6), "a"), "tile/0/000.p/6"), state)
    (state / "pending" / ".wmproto-1.tmp").write_bytes(b"of a write that was cut off")
    (state / "pending" / "notes.txt").write_bytes(b"of the operator")
    [path] = (state / "pending").glob("6-*")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(CorruptStoreError, match=r"pending/6-.* is damaged"):
        look(files(tmp_path, range(5)), state)
    path.unlink()
    assert look(files(tmp_path, range(8), "b"), state).new == 3


def test_tiles_of_no_tree_are_refused_at_once(tmp_path, state):
    """From the root downwards: of a large tree of junk only the right edge is read."""
    size = (1 << 20) + 513
    folder = put(tmp_path / "out", {"checkpoint": head([], size, bytes(32))})
    source = Endless(folder)
    with open_memory(state, [KEY]) as memory, pytest.raises(RegistryError, match="do not hash to the checkpoint"):
        Monitor(source, ALONE, memory).update()
    assert source.asked == 3


class Endless(FolderSource):
    """Has every tile, of bytes that lead nowhere."""

    asked = 0

    def tile(self, level, index, width=256):
        self.asked += 1
        return [bytes(32)] * width
