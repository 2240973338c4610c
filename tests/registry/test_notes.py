"""Log keys, signed notes and checkpoints: one reading of every byte, and every trap that others fell into."""

import binascii
from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_samples import LOG, NAME, STRANGER, signer

from wmproto.errors import FormatError, SignatureError
from wmproto.registry.checkpoint import Checkpoint, parse_decimal, verify_checkpoint
from wmproto.registry.note import NOTE_LIMIT, LogKey, open_note
from wmproto.registry.writing import sign_note

KEY = LogKey(NAME, LOG.public)
ROOT = sha256(b"root").digest()
DASH = "\u2014"
# The example of c2sp.org/signed-note.
FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = (
    "This is an example message.\n"
    "\n"
    "\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()


def b64(data):
    return b64encode(data).decode()


def line(name, raw):
    return f"{DASH} {name} {b64(raw)}\n"


def own_line(text, key=KEY, by=LOG):
    return line(key.name, key.key_id + by.sign(text.encode()))


def checkpoint_note(text):
    """A checkpoint as the log itself would sign it, however odd."""
    return (text + "\n" + own_line(text)).encode()


# --- verifier keys ------------------------------------------------------------------------------------------


def test_the_published_example_verifies():
    key = LogKey.parse(FOO)
    assert (key.name, key.key_id.hex(), str(key)) == ("example.com/foo", "530d903a", FOO)
    assert open_note(FOO_NOTE, key) == "This is an example message.\n"


@pytest.mark.parametrize(
    "name", ["a", "log.example/1", "l\u00f6g.example", "x" * 256, "a b".replace(" ", "-"), "-", "="]
)
def test_a_key_prints_what_it_parses(name):
    key = LogKey(name, LOG.public)
    assert LogKey.parse(str(key)) == key


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "a+b",
        "a\nb",
        "a\tb",
        "\xa0",
        "a\u2003b",
        "a\u3000",
        "\u2028",
        "a\x85",
        "\x7f",
        "\x00",
        "\ud800",
        "x" * 257,
        "\u00f6" * 129,
        "\x9f",
        "a\u1680",
        "\u202fa",
        "\u205f",
    ],
)
def test_a_name_with_spaces_plus_or_control_characters_is_refused(name):
    with pytest.raises(FormatError):
        LogKey(name, LOG.public)
    with pytest.raises(FormatError):
        LogKey.parse(f"{name}+00000000+{b64(bytes([1]) + LOG.public)}")


def vkey(name=NAME, key_id=None, raw=None):
    raw = b"\x01" + LOG.public if raw is None else raw
    key_id = sha256(name.encode() + b"\n" + raw).digest()[:4].hex() if key_id is None else key_id
    return f"{name}+{key_id}+{b64(raw)}"


SMALL_ORDER = bytes([1]) + bytes(31)
NON_CANONICAL = b"\xee" + b"\xff" * 30 + b"\x7f"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a+b",
        vkey()[:-1],
        vkey() + "=",
        vkey() + "\n",
        " " + vkey(),
        vkey().replace(NAME, "log.test/2"),
        vkey(key_id="00000000"),
        vkey(key_id=KEY.key_id.hex().upper()),
        vkey(key_id=KEY.key_id.hex() + "00"),
        vkey(key_id="+" + KEY.key_id.hex()),
        vkey(raw=LOG.public),
        vkey(raw=b"\x01" + LOG.public[:-1]),
        vkey(raw=b"\x01" + LOG.public + b"\x00"),
        vkey(raw=b"\x04" + LOG.public),
        vkey(raw=b"\x01" + SMALL_ORDER),
        vkey(raw=b"\x01" + NON_CANONICAL),
        vkey(raw=b"\x01" + bytes(32)),
        vkey().replace("+", " + "),
    ],
)
def test_another_form_of_a_key_is_refused(text):
    assert LogKey.parse(vkey()) == KEY
    with pytest.raises(FormatError):
        LogKey.parse(text)


@pytest.mark.parametrize("public", [SMALL_ORDER, NON_CANONICAL, bytes(32), LOG.public[:-1], LOG.public + b"\x00", b""])
def test_a_key_object_holds_an_acceptable_key_or_does_not_exist(public):
    with pytest.raises(FormatError):
        LogKey(NAME, public)


# --- notes --------------------------------------------------------------------------------------------------


@given(st.text(alphabet="ab \n\u2014+", max_size=30), st.sampled_from(["log", "a", "\u00f6"]))
def test_what_is_signed_is_read_again(text, name):
    text += "x\n"
    key = LogKey(name, LOG.public)
    assert open_note(sign_note(text, name, LOG), key) == text


@pytest.mark.parametrize("text", ["", "\n", "a", "a\tb\n", "a\r\n", "\x00\n"])
def test_a_text_that_no_reader_takes_is_not_signed(text):
    with pytest.raises(ValueError, match="note"):
        sign_note(text, NAME, LOG)


def test_the_last_blank_line_separates():
    text = f"a\n\n{DASH} fake {b64(bytes(68))}\n"
    assert open_note((text + "\n" + own_line(text)).encode(), KEY) == text
    assert open_note(("a\n\n" + "\n" + own_line("a\n\n")).encode(), KEY) == "a\n\n"


NOTE = sign_note("text\n", NAME, LOG).decode()
OTHER = line("witness.example", b"\x01\x02\x03\x04" + bytes(64))


@pytest.mark.parametrize(
    "extra",
    [
        OTHER,
        line("\u00f6", bytes(5)),
        line(NAME, b"\x00\x00\x00\x00" + bytes(64)),  # our name, another id
        line("other.name", KEY.key_id + bytes(64)),  # our id, another name
        line("w", bytes(5000)),  # as large as a post-quantum signature
        own_line("text\n"),
        OTHER * 63,
    ],
)
def test_lines_of_unknown_keys_are_passed_over(extra):
    assert open_note((NOTE + extra).encode(), KEY) == "text\n"
    assert open_note(NOTE.replace(DASH, extra[:-1] + "\n" + DASH, 1).encode(), KEY) == "text\n"


@pytest.mark.parametrize(
    "note",
    [
        NOTE + own_line("other\n"),  # a known key's bad signature refuses the note, wherever it stands
        own_line("text\n").join(["text\n\n" + own_line("other\n"), ""]),
        NOTE.replace("text", "texT"),
        "text\n\n" + line(NAME, KEY.key_id + LOG.sign(b"text\n")[:-1]),
        "text\n\n" + line(NAME, KEY.key_id + LOG.sign(b"text\n") + b"\x00"),
        "text\n\n" + line(NAME, KEY.key_id + STRANGER.sign(b"text\n")),
        "text\n\n" + line(NAME, KEY.key_id + LOG.sign(b"text")),
        "text\n\n" + OTHER,  # no known key at all
        "text\n\n" + line(NAME + "2", KEY.key_id + LOG.sign(b"text\n")),  # the id alone
        "text\n\n" + line(NAME, bytes(4) + LOG.sign(b"text\n")),  # the name alone
    ],
)
def test_a_note_that_the_key_did_not_sign_is_refused(note):
    with pytest.raises(SignatureError):
        open_note(note.encode(), KEY)


GOOD = b64(KEY.key_id + LOG.sign(b"text\n"))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        "text\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE + "\n\n",
        "\n" + own_line("\n"),
        "\n\n" + own_line("\n"),
        NOTE.replace("\n\n", "\n"),
        "\ufeff" + NOTE.replace("\n", "\r\n"),
        NOTE.replace("text", "te\txt"),
        NOTE.replace("text", "te\x00xt"),
        NOTE.replace("\n\n", "\n \n"),
        NOTE.replace(DASH, "-"),
        NOTE.replace(DASH + " ", DASH),
        NOTE.replace(DASH + " ", DASH + "  "),
        NOTE.replace(DASH + " ", DASH + "\u00a0"),
        NOTE.replace(" " + GOOD, "  " + GOOD),
        NOTE.replace(GOOD, GOOD + " "),
        NOTE.replace(GOOD, GOOD + " x"),
        NOTE.replace(GOOD, GOOD[:-1]),
        NOTE.replace(GOOD, GOOD + "="),
        NOTE.replace(GOOD, GOOD + "===="),
        NOTE.replace(GOOD, GOOD[:10] + "!" + GOOD[10:]),
        NOTE.replace(GOOD, GOOD[:10] + "-_" + GOOD[12:]),
        NOTE.replace(GOOD, GOOD.rstrip("=")[:-1] + "h" + "=" * GOOD.count("=")) if GOOD.endswith("=") else NOTE[:-1],
        NOTE.replace(GOOD, b64(KEY.key_id)),
        NOTE.replace(GOOD, ""),
        NOTE.replace(NAME, ""),
        NOTE.replace(NAME, "a+b"),
        NOTE.replace(NAME, "a\u2003b"),
        NOTE + OTHER * 64,  # 65 signatures
        NOTE + line("w", bytes(NOTE_LIMIT)),
        NOTE + "junk\n",
    ],
)
def test_another_form_of_a_note_is_refused(note):
    with pytest.raises(FormatError):
        open_note(note.encode(), KEY)


def test_non_canonical_base64_is_refused_even_on_lines_of_unknown_keys():
    stray = b64(bytes(5))  # AAAAAAA=: the last two bits of its last digit are not used
    assert binascii.a2b_base64(stray.replace("A=", "B=")) == bytes(5)
    assert open_note((NOTE + f"{DASH} w {stray}\n").encode(), KEY) == "text\n"
    with pytest.raises(FormatError):
        open_note((NOTE + f"{DASH} w {stray.replace('A=', 'B=')}\n").encode(), KEY)


@pytest.mark.parametrize(
    "data", [b"\xff" + NOTE.encode(), b"\xc0\x80" + NOTE.encode(), b"\xed\xa0\x80" + NOTE.encode()]
)
def test_a_note_that_is_not_utf8_is_refused(data):
    with pytest.raises(FormatError):
        open_note(data, KEY)


# --- checkpoints --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 9, 10, 2**63 - 1])
def test_a_checkpoint_prints_what_it_parses(size):
    checkpoint = Checkpoint(NAME, size, ROOT)
    assert Checkpoint.parse(checkpoint.text) == checkpoint
    assert verify_checkpoint(sign_note(checkpoint.text, NAME, LOG), KEY) == checkpoint


TRAPS = [
    "+7",
    "-7",
    "07",
    "00",
    "",
    " 7",
    "7 ",
    "1_000",
    "7.0",
    "0x7",
    "\u0667",
    "\uff17",
    "\u00b2",
    "7\u0660",
    str(2**63),
]
TRAPS += [str(10**19), "9" * 5000, "1e3", "7,", "\u06f7"]


@pytest.mark.parametrize("number", TRAPS)
def test_a_number_that_int_would_take_is_refused(number):
    assert parse_decimal("7", "n") == 7
    with pytest.raises(FormatError):
        parse_decimal(number, "n")
    with pytest.raises(FormatError):
        verify_checkpoint(checkpoint_note(f"{NAME}\n{number}\n{b64(ROOT)}\n"), KEY)


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME}\n7\n",
        f"{NAME}\n7\n\n{b64(ROOT)}\n",
        f"{NAME}\n7\n{b64(ROOT)}\nextension\n",
        f"{NAME}\n7\n{b64(ROOT)}\n\n",
        f"\n{NAME}\n7\n{b64(ROOT)}\n",
        f"{NAME}2\n7\n{b64(ROOT)}\n",
        f"{NAME} \n7\n{b64(ROOT)}\n",
        f"{NAME.upper()}\n7\n{b64(ROOT)}\n",
        f"7\n{b64(ROOT)}\n",
        f"{NAME}\n7\n{b64(ROOT + bytes(1))}\n",
        f"{NAME}\n7\n{b64(ROOT[:31])}\n",
        f"{NAME}\n7\n{b64(ROOT[:3])}\n",
        f"{NAME}\n7\n{b64(ROOT)[:-1]}\n",
        f"{NAME}\n7\n{b64(ROOT)} \n",
        f"{NAME}\n7\n {b64(ROOT)}\n",
        f"{NAME}\n7\n{b64(ROOT)[:5]}!{b64(ROOT)[5:]}\n",
        f"{NAME}\n7\n{ROOT.hex()}\n",
    ],
)
def test_another_form_of_a_checkpoint_is_refused_though_the_log_signed_it(text):
    with pytest.raises(FormatError):
        verify_checkpoint(checkpoint_note(text), KEY)


def test_a_checkpoint_of_another_log_is_refused():
    note = sign_note(Checkpoint(NAME, 7, ROOT).text, NAME, LOG)
    for other in (LogKey(NAME, STRANGER.public), LogKey("log.test/2", LOG.public)):
        with pytest.raises(SignatureError):
            verify_checkpoint(note, other)
    evil = sign_note(Checkpoint("log.test/2", 7, ROOT).text, NAME, LOG)  # signed by the right key for another origin
    with pytest.raises(FormatError):
        verify_checkpoint(evil, KEY)


# --- anything at all ----------------------------------------------------------------------------------------

near = st.text(alphabet="+=\n 017Aa\u2014\u0667" + NAME, max_size=60)


@settings(max_examples=300)
@given(st.text(max_size=40) | near)
def test_parsers_raise_only_format_errors(text):
    for parse in (LogKey.parse, Checkpoint.parse, lambda t: parse_decimal(t, "n")):
        try:
            parsed = parse(text)
        except FormatError:
            continue
        assert (parsed.text if isinstance(parsed, Checkpoint) else str(parsed)) == text


@settings(max_examples=300)
@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([NOTE[:20], NOTE[20:], "\n", OTHER, "x"])).map(lambda p: "".join(p).encode())
)
def test_anything_is_a_note_or_refused_by_name(data):
    try:
        text = open_note(data, KEY)
    except (FormatError, SignatureError):
        return
    assert text == "text\n"


def test_the_sample_signers_differ():
    assert len({s.public for s in (LOG, STRANGER, signer("owner"))}) == 3
