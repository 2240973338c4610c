"""Every parser on the way of an audit: random bytes and random JSON raise FormatError alone; what is accepted round-trips."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from world import World

from wmproto.commitment.opening import Opening
from wmproto.commitment.statement import KeyStatement, verify_key
from wmproto.crypto.signer import Signer
from wmproto.dispute.audit import audit
from wmproto.dispute.machine import Dispute
from wmproto.dispute.messages import Admit, Answer, Ask, Bind, Decide, File, Open, Policy, Settings, Stop, parse_message
from wmproto.dispute.transcript import Step, Transcript
from wmproto.dispute.trust import Trust
from wmproto.errors import FormatError, StateError, VerificationError
from wmproto.registry.copy import read_log_copy
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import Receipt
from wmproto.release.record import Release, verify_release
from wmproto.wire.canonical import canonical_json
from wmproto.wire.dsse import Envelope, Statement
from wmproto.wire.labels import predicate_type
from wmproto.wire.profile import WMPROTO_1

MESSAGES = (File, Bind, Admit, Ask, Answer, Open, Stop, Decide)
OBJECTS = (*MESSAGES, Policy, Settings, Transcript, Step, Opening, KeyStatement, Release, Envelope)
SIGNER = Signer(bytes(range(32)))
SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=70)
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=9), v, max_size=4))


def fields(kind):
    """Objects with the right field names and anything in them."""
    names = [field.alias or name for name, field in kind.model_fields.items()]
    return st.fixed_dictionaries(dict.fromkeys(names, VALUES))


@pytest.mark.parametrize("kind", OBJECTS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_wire_objects_take_their_own_encoding_and_nothing_else(kind, data):
    raw = data.draw(st.binary(max_size=200) | (VALUES | fields(kind)).map(lambda v: canonical_json_or_raw(v)))
    try:
        value = kind.from_bytes(raw, what="object", limit=1 << 20)
    except FormatError:
        return
    assert value.to_bytes() == raw


def canonical_json_or_raw(value):
    try:
        return canonical_json(value)
    except FormatError:  # lone surrogates have no encoding
        return json.dumps(value).encode()


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_well_signed_nonsense_is_malformed(kind, data):
    """Signed by a real key, of the right type, and with anything in it."""
    predicate = data.draw(fields(kind) | VALUES)
    name = kind.__name__.lower()
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicate": predicate,
        "predicateType": predicate_type(name),
        "subject": [{"digest": {"sha256": "00" * 32}, "name": "key"}],
    }
    envelope = SIGNER.envelope(canonical_json_or_raw(statement))
    for parse in (lambda: parse_message(envelope, kind), lambda: Dispute().receive(envelope)):
        try:
            parse()
        except (FormatError, VerificationError, StateError):  # StateError: only file may come first
            continue


@given(st.binary(max_size=300))
@example(b"")
@example(b'{"format":"wmproto/transcript@v1","steps":[]}')
@example(b'{"a":1,"a":2}')
@example(b"\xff\xfe")
@example(b"[" * 5000)
def test_random_bytes_are_malformed_everywhere(raw):
    envelope = SIGNER.envelope(raw)
    key = LogKey("log.test/1", SIGNER.public)
    parsers = (
        lambda: audit(raw),
        lambda: Trust.parse(raw),
        lambda: Envelope.parse(raw),
        lambda: Receipt.parse(raw),
        lambda: LogKey.parse(raw.decode("latin-1")),
        lambda: read_log_copy(raw, key, profile=WMPROTO_1),
        lambda: verify_key(envelope, profile=WMPROTO_1),
        lambda: verify_release(envelope, profile=WMPROTO_1),
        lambda: Statement[File].parse(raw, "file"),
        lambda: Dispute().receive(envelope),
    )
    for parse in parsers:
        with pytest.raises(FormatError):
            parse()


def test_every_object_of_a_real_dispute_round_trips(tmp_path):
    world = World(tmp_path)
    release = world.released()
    _, transcript = world.hold(world.thief(), release=release)
    assert Transcript.parse(transcript.to_bytes()) == transcript
    seen = set()
    for step in transcript.steps:
        assert Envelope.parse(step.message.to_bytes()) == step.message
        for kind in MESSAGES:
            name = kind.__name__.lower()
            if f'"{predicate_type(name)}"'.encode() in step.message.payload:
                statement = Statement[kind].parse(step.message.payload, name)
                assert statement.to_bytes() == step.message.payload
                again = kind.from_bytes(statement.predicate.to_bytes(), what=name, limit=1 << 20)
                assert again == statement.predicate
                seen.add(kind)
    assert seen == set(MESSAGES) - {Stop}
