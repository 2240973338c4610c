"""Signed objects: the PAE, the envelope and the statement (enc-sign-1 to 6)."""

import json

import pytest

from wmproto.commitment.statement import InputSpec
from wmproto.errors import FormatError
from wmproto.wire import dsse
from wmproto.wire.canonical import canonical_json
from wmproto.wire.compose import compose_envelope, compose_statement
from wmproto.wire.dsse import Envelope, Statement, pae

SPEC = InputSpec(dtype="uint8", kind="image", shape=(2, 2, 1))


def test_the_vector_of_dsse_protocol_md(monkeypatch):
    # secure-systems-lab/dsse, protocol.md, "Test Vectors"; our pae() knows one payload type only
    monkeypatch.setattr(dsse, "PAYLOAD_TYPE", "http://example.com/HelloWorld")
    assert pae(b"hello world") == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_our_payload_type():
    assert pae(b"") == b"DSSEv1 28 application/vnd.in-toto+json 0 "
    assert pae(b"a b") == b"DSSEv1 28 application/vnd.in-toto+json 3 a b"
    assert pae(bytes(1000))[:50] == b"DSSEv1 28 application/vnd.in-toto+json 1000 " + bytes(6)


def envelope(**changes):
    fields = json.loads(compose_envelope(b"{}", bytes(32), bytes(64)).to_bytes())
    return canonical_json(fields | changes)


def test_envelope():
    parsed = Envelope.parse(envelope())
    assert (parsed.payload, parsed.signer, parsed.signature) == (b"{}", bytes(32), bytes(64))
    assert parsed.payload_hash.hex().startswith("44136fa355b3678a1146ad16f7e8649e")  # SHA-256 of {}
    assert Envelope.parse(parsed.to_bytes()) == parsed


ONE = {"keyid": "00" * 32, "sig": "A" * 86 + "=="}


@pytest.mark.parametrize(
    "change",
    [
        {"signatures": []}, {"signatures": [ONE, ONE]}, {"payloadType": "application/json"}, {"payload": "e30"},
        {"signatures": [ONE | {"sig": "A" * 84}]}, {"signatures": [ONE | {"keyid": "00" * 31}]},
        {"signatures": [ONE | {"cert": ""}]}, {"payload": "e3-_"}, {"payload": None},
    ],
    ids=str,
)  # fmt: skip
def test_envelopes_that_are_refused(change):
    Envelope.parse(envelope(signatures=[ONE]))
    with pytest.raises(FormatError):
        Envelope.parse(envelope(**change))


def test_statement():
    payload = compose_statement("key", SPEC, ("root", bytes(32)))
    assert json.loads(payload)["predicateType"] == "tag:wmproto,2025:key/1"
    parsed = Statement[InputSpec].parse(payload, "key")
    assert (parsed.predicate, parsed.to_bytes()) == (SPEC, payload)
    assert parsed.only_subject("root") == bytes(32)
    with pytest.raises(FormatError, match="one subject"):
        parsed.only_subject("key")
    with pytest.raises(FormatError, match="predicate type"):
        Statement[InputSpec].parse(payload, "release")
    two = compose_statement("key", SPEC, ("root", bytes(32)), ("root", bytes(32)))
    with pytest.raises(FormatError, match="one subject"):
        Statement[InputSpec].parse(two, "key").only_subject("root")


def test_a_statement_has_one_spelling_of_its_type():
    fields = json.loads(compose_statement("key", SPEC, ("root", bytes(32))))
    fields["type_"] = fields.pop("_type")
    with pytest.raises(FormatError):
        Statement[InputSpec].parse(canonical_json(fields), "key")


@pytest.mark.parametrize("other", ["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1/", ""])
def test_another_type_of_statement(other):
    fields = json.loads(compose_statement("key", SPEC, ("root", bytes(32))))
    with pytest.raises(FormatError):
        Statement[InputSpec].parse(canonical_json(fields | {"_type": other}), "key")
