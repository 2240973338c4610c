"""frame() is injective and takes nothing by accident (enc-frame-1 to 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmproto.wire.framing import frame, sha256

FIELDS = st.lists(st.one_of(st.binary(max_size=20), st.text(max_size=8), st.integers(0, 2**64 - 1)), max_size=6)


def as_bytes(field):
    return field.encode() if isinstance(field, str) else field.to_bytes(8, "big") if isinstance(field, int) else field


def unframe(data):
    fields = []
    while data:
        size = int.from_bytes(data[:8], "big")
        fields.append(data[8 : 8 + size])
        assert len(data) >= 8 + size
        data = data[8 + size :]
    return fields


@given(FIELDS)
def test_a_frame_can_be_read_back(fields):
    assert unframe(frame(*fields)) == [as_bytes(f) for f in fields]


@given(FIELDS, FIELDS)
def test_different_lists_have_different_frames(one, other):
    assert (frame(*one) == frame(*other)) == ([as_bytes(f) for f in one] == [as_bytes(f) for f in other])


def test_boundaries_between_fields_count():
    shifted = {frame(b"ab", b"c"), frame(b"a", b"bc"), frame(b"abc"), frame(b"abc", b""), frame(b"", b"abc")}
    assert len(shifted) == 5
    assert frame() == b""
    assert frame(b"") == bytes(8)
    assert frame(1) == frame((1).to_bytes(8, "big")) == bytes.fromhex("00000000000000080000000000000001")
    assert frame("é") == bytes.fromhex("0000000000000002c3a9")


@pytest.mark.parametrize("field", [True, False, 1.0, None, bytearray(b"x"), memoryview(b"x"), [b"x"], (1,)])
def test_other_types_are_bugs(field):
    with pytest.raises(TypeError):
        frame(b"x", field)


@pytest.mark.parametrize("field", [-1, 2**64, "\ud800"])
def test_other_values_are_bugs(field):
    with pytest.raises(ValueError):
        frame(field)


def test_numpy_integers_are_refused_and_not_read_as_something_else():
    np = pytest.importorskip("numpy")
    for scalar in (np.int64(5), np.uint8(5), np.bool_(True)):
        with pytest.raises(TypeError):
            frame(scalar)


def test_sha256_is_sha256():
    assert sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4
