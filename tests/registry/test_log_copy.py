"""The exported copy: whole and in order, or refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_samples import LOG, NAME, OWNER, STRANGER, signed

from wmproto.errors import ConfigError, FormatError, InclusionError, SignatureError, VerificationError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.copy import Line, read_log_copy
from wmproto.registry.entry import entry_leaf
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey
from wmproto.registry.submission import ENTRY_TYPES
from wmproto.registry.writing import sign_note, write_log_copy
from wmproto.wire.canonical import canonical_json
from wmproto.wire.compose import compose_envelope
from wmproto.wire.dsse import ENVELOPE_LIMIT
from wmproto.wire.profile import WMPROTO_1, Profile

KEY = LogKey(NAME, LOG.public)
ENTRIES = (("key", signed(0)), ("release", signed(1, "release")), ("key", signed(2, by=STRANGER)), ("key", signed(3)))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    log = Log.create(folder / "log.db", NAME, LOG)
    for kind, envelope in ENTRIES:
        log.submit(kind, envelope)
    log.export(folder / "copy.jsonl")
    log.close()
    return (folder / "copy.jsonl").read_bytes()


def read(data, key=KEY, profile=WMPROTO_1):
    return read_log_copy(data, key, profile=profile)


def line(envelope):
    return canonical_json({"envelope": json.loads(envelope.to_bytes()), "type": "key"})


def test_a_copy_holds_the_whole_log(data):
    copy = read(data)
    assert copy.entries == ENTRIES
    assert copy.checkpoint.size == 4
    lines = data.split(b"\n")
    assert list(json.loads(lines[0])) == ["checkpoint", "format", "vkey"]
    assert lines[1] == line(signed(0))


def test_the_copy_of_an_empty_log(tmp_path):
    log = Log.create(tmp_path / "log.db", NAME, LOG)
    log.export(tmp_path / "copy.jsonl")
    copy = read((tmp_path / "copy.jsonl").read_bytes())
    assert (copy.entries, copy.checkpoint) == ((), verify_checkpoint(log.checkpoint(), KEY))
    log.close()


def test_a_log_can_be_built_again_from_a_copy(data, tmp_path):
    log = Log.create(tmp_path / "again.db", NAME, LOG)
    for kind, envelope in read(data).entries:
        log.submit(kind, envelope)
    assert json.loads(data.split(b"\n")[0])["checkpoint"].encode() == log.checkpoint()
    log.close()


def test_an_export_takes_the_place_of_an_older_one_or_changes_nothing(tmp_path):
    log = Log.create(tmp_path / "log.db", NAME, LOG)
    out = tmp_path / "copy.jsonl"
    log.export(out)
    log.submit("key", signed(0))
    log.export(out)
    assert read(out.read_bytes()).checkpoint.size == 1
    with pytest.raises(ConfigError):
        log.export(tmp_path / "no" / "copy.jsonl")
    log.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy.jsonl", "log.db"]


def test_a_copy_knows_every_type_that_the_log_knows():
    assert Line.model_fields["type"].annotation.__args__ == ENTRY_TYPES


def mangled(data, change):
    lines = data.split(b"\n")[:-1]
    return b"".join(line + b"\n" for line in change(lines))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x[:-1],
        lambda x: [x[0], *x[2:]],
        lambda x: x[:1],
        lambda x: [*x, x[-1]],
        lambda x: [x[0], x[2], x[1], *x[3:]],
        lambda x: [*x[:2], x[1], *x[3:]],
        lambda x: [*x[:4], x[4].replace(b'"type":"key"', b'"type":"admit"')],
        lambda x: [*x[:4], line(signed(9))],
        lambda x: [*x[:4], line(compose_envelope(signed(3).payload, OWNER.public, bytes(64)))],
        lambda x: [x[0].replace(NAME.encode() + b"+", b"log.test/2+"), *x[1:]],
    ],
    ids=["last", "first", "all", "added", "swapped", "doubled", "retyped", "replaced", "resigned", "renamed"],
)
def test_a_copy_that_is_not_what_the_log_signed_is_refused(data, change):
    with pytest.raises(InclusionError):
        read(mangled(data, change))


def test_a_size_that_the_tree_does_not_have_is_refused(data):
    signed_by_a_liar = sign_note(Checkpoint(NAME, 5, read(data).checkpoint.root).text, NAME, LOG)
    with pytest.raises(InclusionError):
        read(b"".join(write_log_copy(signed_by_a_liar, KEY, ENTRIES)))


def test_a_line_too_long_is_refused_though_the_log_signed_it():
    big = OWNER.envelope(signed(0).payload.replace(b'"n":0', b'"n":"' + b"0" * (ENVELOPE_LIMIT * 3 // 4 + 2000) + b'"'))
    note = sign_note(Checkpoint(NAME, 1, entry_leaf(WMPROTO_1, "key", big)).text, NAME, LOG)
    with pytest.raises(FormatError, match="bytes"):
        read(b"".join(write_log_copy(note, KEY, [("key", big)])))


def test_another_logs_copy_is_refused(data):
    for key in (LogKey(NAME, STRANGER.public), LogKey("log.test/2", LOG.public)):
        with pytest.raises(SignatureError):
            read(data, key)
    with pytest.raises(InclusionError):
        read(data, profile=Profile("wmproto-test/1"))


def test_a_checkpoint_that_only_a_thief_signed_is_refused(data):
    head = json.loads(data.split(b"\n")[0])
    text = head["checkpoint"].split("\n\n")[0] + "\n"
    head["checkpoint"] = sign_note(text, NAME, STRANGER).decode()
    with pytest.raises(SignatureError):
        read(canonical_json(head) + data[data.index(b"\n") :])


@pytest.mark.parametrize(
    "change",
    [
        lambda d: b"",
        lambda d: b"\n",
        lambda d: d[:-1],
        lambda d: d + b"\n",
        lambda d: d.replace(b"\n", b"\r\n"),
        lambda d: b"\n" + d,
        lambda d: d[d.index(b"\n") + 1 :],
        lambda d: d.replace(b"copy@v1", b"copy@v2"),
        lambda d: d.replace(b'{"envelope"', b'{ "envelope"', 1),
        lambda d: d.replace(b'"type":"key"}', b'"type":"file"}'),
        lambda d: d.replace(b'"type":"key"}', b'"type":"key","x":1}'),
        lambda d: d + b"[" * 100_000 + b"\n",
        lambda d: d + b'"' + b"x" * (ENVELOPE_LIMIT + 2000) + b'"\n',
        lambda d: d.replace(b'"checkpoint":"', b'"checkpoint":"' + b"x" * (1 << 18)),
        lambda d: d.replace(b'"checkpoint":"', b'"checkpoint":"\\ud800'),
    ],
    ids=range(15),
)
def test_another_form_of_a_copy_is_refused(data, change):
    with pytest.raises(FormatError):
        read(change(data))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_byte_of_a_copy_can_be_changed_unnoticed(data, draw):
    at = draw.draw(st.integers(0, len(data) - 1))
    byte = draw.draw(st.integers(0, 255).filter(lambda b: b != data[at]))
    with pytest.raises((FormatError, VerificationError)):
        read(data[:at] + bytes([byte]) + data[at + 1 :])


@given(st.binary(max_size=60) | st.lists(st.sampled_from([b"{}", b"\n", b"null", b"[]", b'{"a":1}'])).map(b"".join))
def test_anything_else_is_no_copy(data):
    with pytest.raises(FormatError):
        read(data)
