"""The examples on the first screens of specs/encoding.md, triggers.md and secretfile.md are real bytes."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from shamir_mnemonic import combine_mnemonics

from wmproto.commitment.secrets import input_seed, prf
from wmproto.crypto.backup import combine
from wmproto.crypto.secretfile import Secret, open_secret, read_public, seal
from wmproto.crypto.sharefile import read_share
from wmproto.crypto.signer import Signer
from wmproto.crypto.signing import verify_envelope
from wmproto.triggers.noise import noise_input
from wmproto.wire.dsse import Envelope, pae
from wmproto.wire.framing import frame
from wmproto.wire.profile import WMPROTO_1 as P
from wmproto.wire.profile import draw_from

SPECS = Path(__file__).parent.parent.parent / "specs"
S, KEYCTX, SEED = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
h = bytes.fromhex


def page(name):
    return (SPECS / name).read_text(encoding="utf-8")


def json_blocks(name):
    """The JSON examples of a page, lines joined."""
    found = re.findall(r"```json\n(.*?)```", page(name), re.DOTALL)
    return [block.replace("\n", "").encode() for block in found]


def hex_after(name, label, lines=1):
    """All hexadecimal digits that follow a label on its line and the next ones."""
    text = page(name)
    rest = text[text.index(label) + len(label) :].split("\n")[:lines]
    return h("".join(re.findall(r"\b(?:[0-9a-f]{2})+\b", " ".join(rest))))


def test_encoding():
    payload, signed = json_blocks("encoding.md")
    assert len(payload) == 299
    assert len(signed) == 648
    envelope = Envelope.parse(signed)
    assert verify_envelope(envelope) == payload
    assert Signer(SEED).envelope(payload) == envelope
    assert pae(payload).startswith(b'DSSEv1 28 application/vnd.in-toto+json 299 {"_type":"https:')
    vectors = json.loads((SPECS / "vectors/encoding.json").read_text())
    cases = {case["id"]: case for group in vectors["groups"] for case in group["tests"]}
    assert cases["statement-001"]["text"].encode() == payload
    assert hex_after("encoding.md", 'frame("wmproto/1/input", keyctx, 0)', 3) == frame("wmproto/1/input", KEYCTX, 0)
    seed = hex_after("encoding.md", 'PRF_s("input", keyctx, 0)')[:32]
    assert seed == prf(P, S, "input", KEYCTX, 0)
    assert P.hash("root", "sha256-tree", S).hex() in page("encoding.md")
    one = frame("wmproto/1/test", 1)
    assert one.hex() in page("encoding.md")
    assert draw_from(one, 2**63 + 1) == 0x5EBF4D54E28A2A88 == 6827260587090258568


def test_every_word_stands_in_the_table_of_tags():
    from typing import get_args

    from wmproto.wire.labels import Word

    table = re.findall(r"^\| `([a-z]+)` \| .* \| [a-z]+ \|$", page("encoding.md"), re.MULTILINE)
    assert table == sorted(get_args(Word))


def test_triggers():
    seed = input_seed(P, S, KEYCTX, 0)
    x = noise_input(P, seed, (2, 2, 3))
    assert hex_after("triggers.md", "SHAKE-256, 12 bytes") == x
    assert seed.hex() in page("triggers.md")
    assert (
        hex_after("triggers.md", '"wmproto/1/noise"            ', 4).hex() == frame(P.tag("noise"), seed, 2, 2, 3).hex()
    )
    text = page("triggers.md")
    rows = text[text.index("    row 0") : text.index("**Status.**")]
    rows = re.sub(r"row \d", "", rows)
    assert bytes(int(n) for n in re.findall(r"\d+", rows)) == x


def test_secretfile():
    (data,) = json_blocks("secretfile.md")
    assert len(data) == 759
    passphrase = b"correct horse battery staple"
    assert passphrase.decode() in page("secretfile.md")
    secret = Secret("owner", SEED, S, (KEYCTX,))
    assert open_secret(data, passphrase) == secret
    assert read_public(data) == ("owner", Signer(SEED).public)
    drawn = iter([bytes(range(0x60, 0x70)), bytes(range(0x70, 0x88))])
    assert seal(secret, passphrase, random=lambda _: next(drawn), ops=2, mem=64 << 20) == data
    content = page("secretfile.md").split("in it ")[1].split("**Status")[0]
    shown = json.loads(re.sub(r"\s", "", content))
    assert shown == {"contexts": [KEYCTX.hex()], "master": S.hex(), "role": "owner", "seed": SEED.hex()}


def test_shares():
    """The share on the page, and the words of another one, restore the secret file on the page."""
    text = page("secretfile.md")
    (shown,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    one = read_share(shown.encode())
    assert one.to_text().decode() == shown
    words = text.split("words of share 2\n")[1].split("\n\n")[0].split()
    two = replace(one, number=2, words=tuple(words))
    assert combine([("one", one), ("two", read_share(two.to_text()))]) == Secret("owner", SEED, S, (KEYCTX,))
    assert combine_mnemonics([" ".join(one.words), " ".join(words)]) == hex_after("secretfile.md", "backup key    ")


@pytest.mark.parametrize("name", ["encoding.md", "triggers.md", "secretfile.md"])
def test_every_rule_has_an_id_of_its_own_and_every_id_in_the_code_is_a_rule(name):
    ids = re.findall(r"^- `((?:enc|trig|sec)-[a-z0-9]+-\d+)`:", page(name), re.MULTILINE)
    assert len(ids) == len(set(ids)) > 0
    prefix = ids[0].split("-")[0]
    cited = set()
    for file in (SPECS.parent / "wmproto").rglob("*.py"):
        cited |= set(re.findall(rf"\b{prefix}-[a-z0-9]+-\d+\b", file.read_text(encoding="utf-8")))
    assert cited <= set(ids)
