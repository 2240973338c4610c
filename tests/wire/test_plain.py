"""What cannot be seen is shown as an escape; all other text stays as it is."""

import pytest

from wmproto.wire.plain import plain

INVISIBLE = [0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0]
INVISIBLE += [*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
INVISIBLE += [0, 0x1B, 0x7F, 0xAD, 0x200B, 0x202E, 0x2066, 0xFEFF, 0xE0041]


@pytest.mark.parametrize("code", INVISIBLE, ids=hex)
def test_what_cannot_be_seen_is_an_escape(code):
    escape = ascii(chr(code))[1:-1]
    assert escape.isascii()
    assert plain(f"A{chr(code)}B") == f"A{escape}B"


@pytest.mark.parametrize("text", ["", "model X of company Y", "größe 猫 日本 é ♥ \\u202e <b>", "\U0001f600"])
def test_what_can_be_seen_stays(text):
    assert plain(text) == text


def test_the_neighbours_of_what_is_invisible_stay():
    for code in (0x34E, 0x350, 0x1161, 0x17B3, 0x17B6, 0x2801, 0x3165, 0xFF9F):
        assert plain(chr(code)) == chr(code)
