"""Whatever is well formed is read back as it was written, both ways, by every wire class of a dispute."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wmproto.commitment.opening import Opening
from wmproto.commitment.statement import InputSpec, KeyStatement
from wmproto.crypto.signer import Signer
from wmproto.dispute.audit import audit
from wmproto.dispute.machine import Dispute
from wmproto.dispute.messages import (
    Admit,
    Answer,
    Ask,
    AskedLeaf,
    Bind,
    Decide,
    File,
    Library,
    Open,
    Policy,
    Settings,
    Stop,
    message_kind,
    parse_message,
)
from wmproto.dispute.session import TRANSCRIPT
from wmproto.dispute.sign import sign_message
from wmproto.dispute.transcript import Step, Transcript
from wmproto.dispute.trust import Trust
from wmproto.errors import FormatError, StateError, VerificationError
from wmproto.release.record import Release, TensorEntry
from wmproto.wire.compose import compose_envelope

SIGNER = Signer(bytes(range(32)))
HEX32 = st.binary(min_size=32, max_size=32)
B64 = st.binary(max_size=40)
UINT = st.integers(0, 2**53 - 1)
#: 1 to 128 bytes of UTF-8 without control characters; U+2028 and friends allowed
TEXT = st.text(
    st.characters(
        blacklist_categories=["Cs"], blacklist_characters=[*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0))]
    ),
    min_size=1,
    max_size=32,
)
ANY_TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)
maybe = partial(st.one_of, st.none())


def tuples(of, least=0, most=3):
    return st.lists(of, min_size=least, max_size=most).map(tuple)


ENVELOPE = st.builds(compose_envelope, B64, HEX32, st.binary(min_size=64, max_size=64))
PLACE = {"previous": maybe(HEX32), "seq": UINT}
POLICY = st.builds(Policy, bits=st.integers(0, 4096), suspects_log2=st.integers(24, 256))
LIBRARY = st.builds(Library, digest=HEX32, name=TEXT, version=TEXT)
SETTINGS = st.builds(
    Settings, batch=st.just(1), dtype=st.just("float32"), libraries=tuples(LIBRARY), threads=st.just(1)
)
OPENING = st.builds(Opening, aux=B64, index=UINT, inputs=tuples(B64), k=HEX32, path=tuples(HEX32))
MESSAGES = {
    File: st.builds(
        File,
        access=st.sampled_from("WTBH"),
        arbitrator=HEX32,
        count=UINT,
        key_entry=HEX32,
        key_receipt=B64,
        log=ANY_TEXT,
        policy=HEX32,
        profile=TEXT,
        release_entry=maybe(HEX32),
        release_receipt=maybe(B64),
        start=UINT,
        suspect=TEXT,
        time_evidence=tuples(B64),
        **PLACE,
    ),
    Bind: st.builds(
        Bind,
        adapter=maybe(TEXT),
        holder=st.sampled_from(["respondent", "escrow"]),
        map=maybe(TEXT),
        model=HEX32,
        prior=maybe(HEX32),
        **PLACE,
    ),
    Admit: st.builds(
        Admit,
        earlier=tuples(HEX32),
        file=ENVELOPE,
        head=ANY_TEXT,
        known_answers=tuples(HEX32),
        policy=POLICY,
        settings=SETTINGS,
        **PLACE,
    ),
    Ask: st.builds(Ask, leaves=tuples(st.builds(AskedLeaf, index=UINT, inputs=HEX32)), **PLACE),
    Answer: st.builds(Answer, answers=tuples(maybe(UINT), most=16), **PLACE),
    Open: st.builds(Open, openings=tuples(OPENING), **PLACE),
    Stop: st.builds(Stop, **PLACE),
    Decide: st.builds(
        Decide, admit=HEX32, rounds=UINT, verdict=st.sampled_from(["DEPENDENT", "NOT SHOWN", "INADMISSIBLE"]), **PLACE
    ),
}
STEP = st.builds(Step, attached=tuples(ENVELOPE), message=ENVELOPE, receipts=tuples(B64))
ARCHITECTURE = st.dictionaries(
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=5),
    st.recursive(st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | ANY_TEXT, lambda v: st.lists(v, max_size=2)),
    max_size=3,
)
OTHERS = {
    Policy: POLICY,
    Settings: SETTINGS,
    Opening: OPENING,
    Step: STEP,
    Transcript: st.builds(Transcript, format=st.just(TRANSCRIPT), steps=tuples(STEP)),
    Trust: st.builds(
        Trust,
        arbitrators=tuples(HEX32, 1),
        bits=st.integers(0, 4096),
        format=st.just("wmproto/trust@v1"),
        log=ANY_TEXT,
        owners=tuples(HEX32, 1),
        respondents=tuples(HEX32, 1),
    ),
    Release: st.builds(
        Release,
        architecture=ARCHITECTURE,
        beta=HEX32,
        key_id=HEX32,
        key_receipt=B64,
        model=HEX32,
        owner=HEX32,
        profile=TEXT,
        recipient=TEXT,
        salt=maybe(TEXT),
        tensors=tuples(st.builds(TensorEntry, digest=HEX32, dtype=TEXT, name=TEXT, shape=tuples(UINT)), 1),
    ),
    KeyStatement: st.builds(
        KeyStatement,
        N=UINT,
        R=HEX32,
        classes=tuples(TEXT, 2, 5),
        input=st.builds(InputSpec, dtype=TEXT, kind=TEXT, shape=tuples(st.integers(1, 1 << 24), 1)),
        keyctx=HEX32,
        label_source=TEXT,
        labels=st.sampled_from(["secret", "public"]),
        m=UINT,
        mode=st.sampled_from("USP"),
        owner=HEX32,
        profile=TEXT,
        q=UINT,
        suite=TEXT,
    ),
}
ALL = MESSAGES | OTHERS


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
@settings(max_examples=40)
@given(data=st.data())
def test_a_well_formed_object_is_read_back_as_it_was_written(kind, data):
    value = data.draw(ALL[kind])
    written = value.to_bytes()
    again = kind.from_bytes(written, what="object", limit=1 << 20)
    assert again == value
    assert again.to_bytes() == written
    assert Trust.parse(b" " + written) == value if kind is Trust else True
    with pytest.raises(FormatError):
        kind.from_bytes(written + b" ", what="object", limit=1 << 20)
    with pytest.raises(FormatError):
        kind.from_bytes(written, what="object", limit=len(written) - 1)


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
@settings(max_examples=30)
@given(data=st.data())
def test_a_well_formed_message_is_taken_for_what_it_is(kind, data):
    message, key_id = data.draw(MESSAGES[kind]), data.draw(HEX32)
    envelope = sign_message(message, key_id=key_id, signer=SIGNER)
    assert message_kind(envelope.payload) == kind.__name__.lower()
    assert parse_message(envelope, kind) == (key_id, message)
    for other in MESSAGES:
        if other is not kind:
            with pytest.raises(FormatError):
                parse_message(envelope, other)
    with pytest.raises((FormatError, VerificationError, StateError)):
        Dispute().receive(envelope)


@settings(max_examples=60)
@given(tuples(st.builds(Step, attached=tuples(ENVELOPE), message=st.one_of(*MESSAGES.values()).map(
    lambda m: sign_message(m, key_id=bytes(32), signer=SIGNER)), receipts=tuples(B64))))  # fmt: skip
def test_a_well_formed_transcript_of_nonsense_is_refused(steps):
    with pytest.raises((FormatError, VerificationError)):
        audit(Transcript(format=TRANSCRIPT, steps=steps).to_bytes())
