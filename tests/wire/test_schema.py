"""Every wire class has one encoding and raises nothing but FormatError (enc-json-6, enc-json-7)."""

import contextlib
import copy
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from wire_samples import sample, wire_classes

from wmproto.errors import FormatError
from wmproto.wire.canonical import canonical_json
from wmproto.wire.schema import Hex32, Text, Uint, Wire, decode_b64, encode_b64

CLASSES = wire_classes()
LIMIT = 1 << 20
NASTY = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**53 - 1,
    2**53,
    2**70,
    1.5,
    "",
    "a",
    "\x00",
    "A" * 64,
    "0F" * 32,
    "=",
    [],
    {},
    [[]],
]


def read(cls, data):
    """The object, or None if the bytes were refused in the one allowed way; what is accepted is what was written."""
    try:
        value = cls.from_bytes(data, what="thing", limit=LIMIT)
    except FormatError as err:
        refusal = str(err)
    else:
        assert value.to_bytes() == data
        return value
    assert refusal.isprintable()
    assert len(refusal) < 400
    return None


def read_text(cls, data):
    with contextlib.suppress(FormatError):
        cls.from_text(data, what="thing", limit=LIMIT)


def places(value, at=()):
    """Every path into a JSON value."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*at, key))


def changed(value, at, change):
    """A copy with ``change(container, key)`` done at a path."""
    out = copy.deepcopy([value])
    container, key = out, 0
    for step in at:
        container, key = container[key], step
    change(container, key)
    return out[0] if out else None


def mutations(value):
    """Every field dropped, doubled under another name, or replaced by something nasty."""
    for at in places(value):
        for nasty in NASTY:
            yield changed(value, at, lambda c, k, n=nasty: c.__setitem__(k, n))
        if at:
            yield changed(value, at, lambda c, k: c.__delitem__(k))
            if isinstance(at[-1], str):
                yield changed(value, at, lambda c, k: c.__setitem__(k + "_", c.pop(k)))
                yield changed(value, at, lambda c, k: c.__setitem__(k.strip("_") + "_", c.pop(k)))
                yield changed(value, at, lambda c, k: c.__setitem__("\x1b[2J\n" + k * 100, 1))


def encode(value):
    """Canonical where there is a canonical form, else as near as JSON gets."""
    try:
        return canonical_json(value)
    except FormatError:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def test_the_list_of_classes_is_not_empty_by_accident():
    assert {"Envelope", "KeyStatement", "Opening", "Transcript", "Release", "Trust", "_SecretFile"} <= set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_round_trip(name):
    cls = CLASSES[name]
    data = canonical_json(sample(cls))
    value = read(cls, data)
    assert value is not None
    assert cls.from_text(json.dumps(sample(cls), indent=3).encode(), what="thing", limit=LIMIT) == value
    assert read(cls, data + b"\n") is None
    assert read(cls, b"\xef\xbb\xbf" + data) is None
    with pytest.raises(FormatError, match="allowed"):
        cls.from_bytes(data, what="thing", limit=len(data) - 1)
    assert cls.from_bytes(data, what="thing", limit=len(data)) == value


@pytest.mark.parametrize("name", CLASSES)
def test_frozen_and_strict(name):
    cls = CLASSES[name]
    value = cls.from_bytes(canonical_json(sample(cls)), what="thing", limit=LIMIT)
    for field in cls.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(value, field, getattr(value, field))


@pytest.mark.parametrize("name", CLASSES)
def test_every_mutation_of_every_field(name):
    cls, seen = CLASSES[name], 0
    good = canonical_json(sample(cls))
    for bad in mutations(sample(cls)):
        data = encode(bad)
        seen += 1
        if data != good:
            read(cls, data)
        read_text(cls, data)
    assert seen >= len(NASTY)


@pytest.mark.parametrize("name", CLASSES)
def test_a_missing_a_further_and_a_renamed_field_are_refused(name):
    cls = CLASSES[name]
    value = sample(cls)
    for field in value:
        assert read(cls, canonical_json({k: v for k, v in value.items() if k != field})) is None
        more = canonical_json(value | {field + "_": 1})
        assert read(cls, more) is None
        with pytest.raises(FormatError):
            cls.from_text(more, what="thing", limit=LIMIT)
    for field, info in cls.model_fields.items():
        if info.alias:
            renamed = {field if k == info.alias else k: v for k, v in value.items()}
            assert read(cls, canonical_json(renamed)) is None


@pytest.mark.parametrize("name", CLASSES)
def test_mutated_bytes(name):
    cls, rng = CLASSES[name], random.Random(name)
    good = canonical_json(sample(cls))
    accepted = 0
    for _ in range(200):
        bad = bytearray(good)
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            at, kind = rng.randrange(len(bad) + 1), rng.randrange(4)
            if kind == 0 and at < len(bad):
                bad[at] ^= 1 << rng.randrange(8)
            elif kind == 1:
                bad[at:at] = rng.choice((b" ", b"0", b'"', b"\\", b"\x00", b"\xff", b"{}", b'\\ud800"'))
            elif kind == 2:
                del bad[at : at + rng.randrange(1, 5)]
            else:
                bad[at : at + 1] = b'0123456789abcdef{}[],:"-.'[(c := rng.randrange(25)) : c + 1]
        accepted += read(cls, bytes(bad)) is not None
    assert accepted < 200


@settings(max_examples=300)
@given(st.sampled_from(sorted(CLASSES)), st.binary(max_size=80))
def test_random_bytes(name, data):
    read(CLASSES[name], data)
    read_text(CLASSES[name], data)


def test_deep_nesting_is_malformed_and_not_a_crash():
    for name, cls in CLASSES.items():
        for deep in (b"[" * 50_000, b'{"a":' * 50_000, b"[" * 500 + b"]" * 500):
            assert read(cls, deep) is None, name


@given(st.binary(max_size=50))
def test_base64_round_trip(data):
    assert decode_b64(encode_b64(data)) == data


@pytest.mark.parametrize(
    "text",
    ["=", "A", "AA", "AA=", "AB==", "AAB=", "AA==\n", " AA==", "A A=", "AA==AA==", "_-==", "AAé=", "AAAA=", "AA\x00="],
)
def test_base64_that_we_would_not_write(text):
    with pytest.raises(FormatError):
        decode_b64(text)


class Scalars(Wire):
    hex: Hex32
    text: Text
    uint: Uint


def scalars(**changes):
    value = {"hex": "0a" * 32, "text": "x", "uint": 1} | changes
    return Scalars.from_bytes(canonical_json(value), what="thing", limit=LIMIT)


@pytest.mark.parametrize("good", ["a", "é" * 64, "x" * 128, "a b", "\u2028", "\U0001f600", "\u00a0", "\u0378"])
def test_text(good):
    assert scalars(text=good).text == good


@pytest.mark.parametrize(
    "bad",
    [{"text": t} for t in ["", "é" * 65, "x" * 129, "\x00", "a\n", "\x1f", "\x7f", "\x80", "\x9f", 1, None]]
    + [{"hex": h} for h in ["", "0A" * 32, "0a" * 31, "0a" * 33, "0g" * 32, " " + "0a" * 32, "0x" + "0a" * 31, 5]]
    + [{"uint": u} for u in [-1, "1", True, None, [1]]],
    ids=str,
)
def test_scalars_that_are_refused(bad):
    with pytest.raises(FormatError, match=next(iter(bad))):
        scalars(**bad)


def test_a_sender_cannot_write_to_the_readers_terminal():
    value = {"hex": "0a" * 32, "text": "x", "uint": 1, "\x1b[2J\r\nroot: " + "z" * 1000: 1}
    with pytest.raises(FormatError) as err:
        Scalars.from_bytes(canonical_json(value), what="thing", limit=LIMIT)
    assert str(err.value).isprintable()
    assert len(str(err.value)) < 200
