"""One value, one encoding: RFC 8785 out, and nothing else in (enc-json-1 to 5)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmproto.errors import FormatError
from wmproto.wire.canonical import canonical_json, parse_json
from wmproto.wire.schema import Wire

SAFE = 2**53 - 1
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


class Held(Wire):
    value: Any


def parse(data, limit=1 << 20):
    """A value of any kind, through the one place where canonical JSON is read."""
    return Held.from_bytes(b'{"value":%s}' % data, what="thing", limit=limit + 10).value


def utf16(text):
    raw = text.encode("utf-16-be")
    return [raw[i] << 8 | raw[i + 1] for i in range(0, len(raw), 2)]


def naive(value):
    """RFC 8785 for values without floats, from its section 3.2 alone."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{naive(k)}:{naive(value[k])}" for k in sorted(value, key=utf16)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(naive, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@given(VALUES)
def test_round_trip_and_the_naive_encoder(value):
    data = canonical_json(value)
    assert data == naive(value).encode()
    assert parse(data) == value
    assert json.loads(data) == value
    assert parse_json(json.dumps(value, indent=2).encode(), what="thing", limit=1 << 20) == value


@given(st.binary(max_size=60) | VALUES.map(lambda v: json.dumps(v).encode()))
def test_what_is_accepted_is_what_would_be_written(data):
    try:
        value = parse(data)
    except FormatError:
        return
    assert canonical_json(value) == data


@given(VALUES, st.data())
def test_a_changed_byte_never_gives_the_same_value(value, data):
    good = canonical_json(value)
    at = data.draw(st.integers(0, len(good) - 1))
    bad = good[:at] + bytes([data.draw(st.integers(0, 255))]) + good[at + 1 :]
    if bad != good:
        try:
            other = parse(bad)
        except FormatError:
            return
        assert canonical_json(other) == bad != good


def test_rfc_8785_sections_3_2_2_and_3_2_3():
    # 3.2.2: the example of the RFC, and what it becomes
    example = r"""{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"""
    value = json.loads(example)
    with pytest.raises(FormatError):
        canonical_json(value)  # its numbers are no integers: neither written
    with pytest.raises(FormatError, match="not an integer"):
        parse_json(example.encode(), what="thing", limit=1000)  # nor read
    del value["numbers"]
    written = r"""{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"""
    assert canonical_json(value) == written.encode()
    assert parse(written.encode()) == value
    # 3.2.3: names are sorted by UTF-16 code units
    names = {
        "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
        "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis",
    }  # fmt: skip
    order = [
        "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign",
        "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh",
    ]  # fmt: skip
    assert list(parse(canonical_json(names)).values()) == order


REFUSED = {
    "field twice": b'{"a":1,"a":1}',
    "field twice, escaped": b'{"a":1,"\\u0061":1}',
    "field twice, deep": b'[{"a":{"b":1,"b":2}}]',
    "fields in the wrong order": b'{"b":1,"a":1}',
    "float": b"1.5",
    "float that is an integer": b"1.0",
    "exponent": b"1e3",
    "negative zero": b"-0",
    "leading zero": b"01",
    "plus": b"+1",
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "minus Infinity": b'{"a":-Infinity}',
    "2**53": b"9007199254740992",
    "-2**53": b"-9007199254740992",
    "a huge integer": b"9" * 5000,
    "space": b'{"a": 1}',
    "leading space": b" 1",
    "trailing newline": b"1\n",
    "trailing bytes": b"{}{}",
    "trailing zero byte": b"{}\x00",
    "BOM": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "Latin-1": '"é"'.encode("latin-1"),
    "overlong UTF-8": b'"\xc0\xaf"',
    "surrogate as UTF-8": b'"\xed\xa0\x80"',
    "lone surrogate": b'"\\ud800"',
    "lone surrogate in a name": b'{"\\udc00":1}',
    "lone surrogate in a name of two": b'{"a":1,"\\ud800":1}',
    "surrogates in the wrong order": b'"\\udc00\\ud800"',
    "needless escape": b'"\\u0041"',
    "upper-case escape": b'"\\u000F"',
    "escaped solidus": b'"\\/"',
    "escape where a short one exists": b'"\\u000a"',
    "escaped pair": b'"\\ud83d\\ude00"',
    "raw control character": b'"\n"',
    "single quotes": b"{'a':1}",
    "trailing comma": b"[1,]",
    "comment": b"{}//",
    "upper-case literal": b"True",
    "nothing": b"",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep and open": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refused(data):
    with pytest.raises(FormatError, match=r"^thing: |no canonical encoding") as err:
        parse(data)
    assert "\n" not in str(err.value)
    assert len(str(err.value)) < 200


@pytest.mark.parametrize("data", [b'{ "a" : 1 }\n', b'{"b":1,"a":2}', b'"\\u0041"', b"-0"])
def test_people_may_write_white_space_and_any_order(data):
    parse_json(data, what="thing", limit=100)
    with pytest.raises(FormatError, match="not in canonical form"):
        parse(data)


@pytest.mark.parametrize(
    "name", ["field twice", "float", "NaN", "exponent", "BOM", "trailing bytes", "deep", "a huge integer"]
)
def test_but_nothing_ambiguous(name):
    with pytest.raises(FormatError):
        parse_json(REFUSED[name], what="thing", limit=1 << 20)


def test_the_limit_is_in_bytes_and_comes_first():
    assert parse(b'"abc"', limit=5) == "abc"
    with pytest.raises(FormatError, match="15 bytes are more than the 14 allowed"):
        parse(b'"abc"', limit=4)
    with pytest.raises(FormatError, match="allowed"):
        parse(b"\xff" * 5, limit=4)


def test_what_has_no_encoding():
    values = [
        2**53,
        -(2**53),
        10**5000,
        1.5,
        1.0,
        -0.0,
        float("nan"),
        float("inf"),
        b"bytes",
        {1: 2},
        {"a": {3}},
        object(),
    ]
    for value in [*values, "\ud800", {"\ud800": 1}, {"a": 1, "\udc00": 2}]:
        for held in (value, [value], {"field": value}):
            with pytest.raises(FormatError, match="no canonical encoding"):
                canonical_json(held)


def test_a_value_that_contains_itself():
    loop = []
    loop.append(loop)
    with pytest.raises(FormatError):
        canonical_json(loop)
