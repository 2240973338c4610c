"""reg-policy-*, reg-cosign-*: what a policy file may say, and which checkpoints count under it."""

import hashlib
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_samples import LOG, NAME, STRANGER, signer
from people import KEY, NOTE, TEXT, WITNESSES, cosigned, line, policy_text, raw_line

from wmproto.errors import FormatError, SignatureError, TrustError, UnsupportedError
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.note import LogKey, Note
from wmproto.registry.policy import Group, LogPolicy
from wmproto.registry.writing import sign_note


def parse(text):
    return LogPolicy.parse(text.encode() if isinstance(text, str) else text)


def refused(text, match, kind=FormatError):
    with pytest.raises(FormatError, match=match) as err:
        parse(text)
    assert type(err.value) is kind
    assert err.value.hint


# --- the file ---------------------------------------------------------------------------------------------------


def test_everything_a_policy_says():
    text = (
        policy_text("# \u00e9; ; group g 2 a b c; \tgroup\th all g d; quorum h", "abcd")
        + f"witness e {WITNESSES['e']} https://e/x\n"
    )
    found = parse(text)
    assert list(found.logs) == [KEY]
    assert dict(found.witnesses) == {n: WITNESSES[n] for n in "abcde"}
    assert dict(found.urls) == {"e": "https://e/x"}
    assert dict(found.groups) == {"g": Group(2, ("a", "b", "c")), "h": Group(2, ("g", "d"))}
    assert (found.quorum, found.digest) == ("h", hashlib.sha256(text.encode()).digest())


def test_the_url_of_a_log():
    assert parse(f"log {KEY} https://log.test\nquorum none\n").logs == {KEY: "https://log.test"}


def test_a_policy_of_a_quorum_alone_names_no_log():
    found = parse("quorum none\n")
    assert (dict(found.logs), dict(found.witnesses)) == ({}, {})
    with pytest.raises(TrustError):
        found.verify(NOTE)


def test_names_are_opaque_bytes():
    odd = b"\xff\xfe\xc3"
    text = policy_text().replace("quorum none\n", "").encode() + b"group " + odd + b" 1 a\nquorum " + odd + b"\n"
    found = parse(text)
    assert found.satisfied(found.quorum, {"a"})
    assert not found.satisfied(found.quorum, {"b"})
    kelvin = parse(policy_text("group \u212a 1 a; group K 1 b; quorum K"))
    assert kelvin.satisfied("K", {"b"})
    assert not kelvin.satisfied("K", {"a"})


TWO_NAMES = "the key of .* stands above already: one key under two names"
BAD = {
    "not a line of a policy": ["", "Quorum none", "quorum", "quorum a b", "quorum x", "quorum none; quorum none", "quorum g; group g 1 a",
        "log", f"log {KEY} x y", "witness a", "group", "group g", "group g 1", "trust a", f"quorum none {KEY}"],
    "x stands on no line above": ["group g 1 x; quorum g", "group g 1 a x; quorum g"],
    "none stands on no line above": ["group g 1 none; quorum g"],
    "g stands on no line above": ["group g 1 g; quorum g", "group h 1 g; group g 1 a; quorum g"],
    "a stands on no line above, or is a member twice": ["group g 1 a a; quorum g", "group g 1 a; group h 1 a; quorum h"],
    "is not any, all or a number": [f"group g {k} a b; quorum g" for k in ("0", "3", "01", "+1", "-1", "1_0", "\u0661", "2.0", "100", "ANY", "half")],
    "cannot be defined again": ["group a 1 b; quorum a", "group g 1 a; group g 1 b; quorum g", "group none 1 a; quorum a", f"witness none {WITNESSES['a']}; quorum none"],
}  # fmt: skip


@pytest.mark.parametrize(("match", "tail"), [(match, tail) for match, tails in BAD.items() for tail in tails if tail])
def test_lines_that_mean_nothing_or_too_much_are_refused(match, tail):
    refused(policy_text(tail, "bcdef" if tail.startswith("witness none") else "abcdef"), match)


def test_one_key_under_two_names_is_refused():
    again = WitnessKey("other.test/1", WITNESSES["a"].public)
    refused(policy_text(f"witness z {WITNESSES['a']}; quorum none"), TWO_NAMES)
    refused(policy_text(f"witness z {again}; quorum none"), TWO_NAMES)
    refused(policy_text(f"log {KEY}; quorum none"), TWO_NAMES)
    refused(policy_text(f"log {LogKey('log.test/2', KEY.public)}; quorum none"), TWO_NAMES)
    refused(policy_text(f"log {LogKey('a.test/1', WITNESSES['a'].public)}; quorum none"), TWO_NAMES)
    refused(policy_text(f"witness z {WitnessKey('log.test/1', KEY.public)}; quorum none"), TWO_NAMES)
    refused(policy_text(f"log {LogKey(NAME, STRANGER.public)}; quorum none"), "two keys of one log")
    parse(policy_text(f"log {LogKey('log.test/2', STRANGER.public)}; quorum none"))


def test_keys_of_other_types_are_refused_by_what_they_are():
    refused(policy_text(f"log {WitnessKey('x', STRANGER.public)}; quorum none"), "not a log's Ed25519 key")
    refused(policy_text(f"witness z {LogKey('x', STRANGER.public)}; quorum none"), "not a witness's Ed25519 key")
    from wmproto.wire.schema import encode_b64

    raw = b"\x06" + bytes(1312)
    vkey = f"x+{hashlib.sha256(b'x' + b'' + chr(10).encode() + raw).hexdigest()[:8]}+{encode_b64(raw)}"
    refused(policy_text(f"witness z {vkey}; quorum none"), "ML-DSA-44 is not supported", UnsupportedError)
    refused(policy_text(f"witness z {str(WITNESSES['a'])[:-1]}; quorum none", "b"), "base64")


@pytest.mark.parametrize("data", [b"", b"quorum none", b"quorum none\r\n", b"quorum none\n\x00\n", b"\x1bquorum none\n", b"quorum none\x7f\n", b"quorum none\n" + b"#" * (64 << 10) + b"\n"])  # fmt: skip
def test_bytes_that_are_no_lines_of_text(data):
    refused(data, "not lines of text")


def test_no_quorum():
    refused("\n", "no quorum line")
    refused(policy_text("# quorum a"), "no quorum line")


def test_sixty_three_of_a_kind_and_no_more():
    def many(n, tail="quorum none"):
        keys = [WitnessKey(f"w{i}.test", signer(f"many {i}").public) for i in range(n)]
        return "".join(f"witness w{i} {key}\n" for i, key in enumerate(keys)) + tail + "\n"

    parse(many(63, "group g 63 " + " ".join(f"w{i}" for i in range(63)) + "\nquorum g"))
    refused(many(64), "more than 63 of a kind")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_policy_or_a_format_error(data):
    try:
        found = LogPolicy.parse(data)
    except FormatError:
        return
    assert found.digest == hashlib.sha256(data).digest()


# --- which checkpoints count ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tail", ["quorum none", "quorum a", "group g any a b; quorum g", "group g all a b c; quorum g", "group g 2 a b c; quorum g", "group X 2 a b c; group Y any d e; group both all X Y; quorum both"])  # fmt: skip
def test_a_checkpoint_counts_if_its_witnesses_satisfy_the_quorum(tail):
    policy = parse(policy_text(tail))
    k = {"quorum none": lambda s: True, "quorum a": lambda s: "a" in s, "group g any a b; quorum g": lambda s: bool(s & {"a", "b"}),
         "group g all a b c; quorum g": lambda s: s >= {"a", "b", "c"}, "group g 2 a b c; quorum g": lambda s: len(s & {"a", "b", "c"}) > 1}  # fmt: skip
    expected = k.get(tail, lambda s: len(s & {"a", "b", "c"}) > 1 and bool(s & {"d", "e"}))
    for size in range(6):
        for names in combinations("abcde", size):
            if expected(set(names)):
                assert policy.verify(cosigned(names), strict=True) == Checkpoint(NAME, 7, bytes(32))
            else:
                with pytest.raises(TrustError, match=f"witnessed by: {', '.join(names) or 'nobody'}$") as err:
                    policy.verify(cosigned(names))
                assert err.value.rule == "reg-policy-6"


def test_a_witness_counts_once_however_often_it_signs():
    policy = parse(policy_text("group g 2 a b c; quorum g"))
    with pytest.raises(TrustError):
        policy.verify(cosigned("a") + line("a", time=5).encode() + line("a", time=6).encode())
    assert policy.verify(cosigned("ab") + line("a", time=5).encode(), strict=True).size == 7


def test_strangers_are_passed_over_unless_the_reader_is_strict():
    policy = parse(policy_text("quorum a", "abc"))
    for extra in (
        line("d"),
        raw_line("x.test", b"1234" + bytes(64)),
        raw_line(NAME, b"1234" + bytes(64)),
        raw_line(WITNESSES["a"].name, bytes(76)),
    ):
        note = cosigned("a") + extra.encode()
        assert policy.verify(note).size == 7
        with pytest.raises(TrustError, match="whom the log policy does not know") as err:
            policy.verify(note, strict=True)
        assert err.value.rule == "reg-policy-7"


def test_a_line_of_another_log_of_the_policy_means_nothing_but_must_verify():
    other = LogKey("log.test/2", STRANGER.public)
    policy = parse(policy_text(f"log {other}; quorum none"))
    note = NOTE + sign_note(TEXT, other.name, STRANGER).partition(b"\n\n")[2]
    assert policy.verify(note, strict=True).origin == NAME
    with pytest.raises(TrustError, match=r"does not name a log log\.test/1 that signed"):
        parse(f"log {other}\nquorum none\n").verify(note)
    with pytest.raises(SignatureError):
        policy.verify(NOTE + sign_note(TEXT + "x\n", other.name, STRANGER).partition(b"\n\n")[2])


# --- cosignatures -----------------------------------------------------------------------------------------------


LIES = {
    "another text": {"text": TEXT.replace("7", "8")},
    "another signer": {"by": STRANGER},
    "the log's own key": {"by": LOG},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_known_witness_s_line_must_verify_even_if_nobody_needs_it(lie):
    for tail in ("quorum none", "quorum b"):
        with pytest.raises(SignatureError):
            parse(policy_text(tail)).verify(cosigned("b") + line("a", **LIES[lie]).encode())


def test_the_time_is_signed():
    good = line("a", time=5)
    raw = Note.parse((NOTE.decode() + good).encode()).lines[1][1]
    moved = raw[:4] + (6).to_bytes(8, "big") + raw[12:]
    with pytest.raises(SignatureError):
        parse(policy_text()).verify(NOTE + raw_line(WITNESSES["a"].name, moved).encode())


@pytest.mark.parametrize(
    ("time", "ok"), [(1, True), ((1 << 63) - 1, True), (0, False), (1 << 63, False), ((1 << 64) - 1, False)]
)
def test_the_time_is_between_1_and_2_to_the_63(time, ok):
    policy = parse(policy_text("quorum a"))
    if ok:
        policy.verify(cosigned("a", time=time))
    else:
        with pytest.raises(FormatError, match="not a time and a signature"):
            policy.verify(cosigned("a", time=time))


@pytest.mark.parametrize("size", [0, 1, 8, 64, 71, 73, 136])
def test_a_cosignature_has_72_bytes(size):
    key = WITNESSES["a"]
    with pytest.raises(FormatError):
        parse(policy_text()).verify(
            NOTE + raw_line(key.name, key.key_id + b"\x00" * 7 + bytes([1]) * (size - 7 if size > 7 else size)).encode()
        )


def test_a_witness_key_signs_no_log_and_a_log_key_witnesses_nothing():
    """The type stands in the key id and in what is signed: neither passes for the other."""
    witness = WITNESSES["a"]
    as_log = sign_note(TEXT, witness.name, signer("a"))
    with pytest.raises(TrustError, match="nobody"):
        parse(policy_text("quorum a")).verify(NOTE + as_log.partition(b"\n\n")[2])
    assert WitnessKey("x", KEY.public).key_id != LogKey("x", KEY.public).key_id
    assert WitnessKey("x", KEY.public) != LogKey("x", KEY.public)
