"""``commit inspect`` and ``verdict plan --leaves``: what a key fixes, and how far it goes."""

import json

import pytest
from town import CLASSES, PASS, check_error, run, snapshot

from wmproto.verdict.plan import sequential_size


def test_inspect_shows_what_a_statement_fixes(town, home):
    told = run("commit", "inspect", "mykey", "--json", cwd=home).json()
    shown = run("key", "show", "mykey", "--json", cwd=home).json()
    for name in ("key_id", "owner", "leaves", "root", "shape", "classes"):
        assert told[name] == shown[name], name
    fixed = {"bits": 160, "bound_log2": -63, "label_source": "fiat-shamir", "profile": "wmproto/1", "labels": 100}
    assert told | fixed == told
    assert (told["kind"], told["dtype"], told["mode"], told["suite"]) == ("image", "uint8", "U", "sha256-tree")
    assert run("commit", "inspect", "mykey/statement.json", "--json", cwd=home).json() == told
    lines = run("commit", "inspect", "mykey", cwd=home).out.splitlines()
    assert lines[0] == "a key statement, signed by its owner"
    assert f"  classes  100: {', '.join(CLASSES[:10])}, and so on" in lines
    assert "  bits     160 for a DEPENDENT; a false one: at most 2^-63" in lines
    assert "  leaves   128, about one in 4 a ghost; disputes start at multiples of 16" in lines


def test_inspect_needs_neither_secret_nor_log_and_no_activation(home):
    for name in ("owner.key", "registry.db", "pass.txt"):
        (home / name).unlink()
    before = snapshot(home)
    assert "image of 12x12x1" in run("commit", "inspect", "fresh", cwd=home).out
    assert snapshot(home) == before


def test_a_class_name_that_turns_text_around_is_escaped(home):
    create = ("commit", "create", "odd", "--key", "owner.key", "--leaves", 16, "--shape", "2x2x1")
    assert run(*create, "--classes", "cat,\u202egod", *PASS, cwd=home).code == 0
    assert "classes  2: cat, \\u202egod" in run("commit", "inspect", "odd", cwd=home).out
    assert run("commit", "inspect", "odd", "--json", cwd=home).json()["classes"] == ["cat", "\u202egod"]


def forged(home):
    path = home / "fresh/statement.json"
    sig = json.loads(path.read_bytes())["signatures"][0]["sig"]
    path.write_bytes(path.read_bytes().replace(sig.encode(), (sig[:60] + "AAAA" + sig[64:]).encode()))


BAD = {
    "nothing": (None, "no", 2, "there is no key statement at 'no'", True),
    "a folder without a key": (None, "own", 2, "own is no whole key folder", True),
    "a key file": (None, "owner.key", 3, "owner.key: ", True),
    "a model": (None, "marked.safetensors", 3, "marked.safetensors: not JSON", True),
    "a release": (None, "release.json", 3, "key statement", False),
    "a receipt": (None, "mykey.tlog-proof", 3, "mykey.tlog-proof: not JSON", True),
    "a forged statement": (forged, "fresh", 1, "the signature does not verify", False),
}


@pytest.mark.parametrize(("prepare", "path", "code", "words", "hint"), BAD.values(), ids=BAD)
def test_inspect_on_bad_input(home, prepare, path, code, words, hint):
    if prepare is not None:
        prepare(home)
    check_error(run("commit", "inspect", path, cwd=home), code, words, hint=hint)


# --- plan

PLAN = ("verdict", "plan", "--classes", 10)


def test_without_leaves_nothing_is_said_of_disputes(tmp_path):
    result = run(*PLAN, cwd=tmp_path)
    assert "a key of" not in result.out
    assert run(*PLAN, "--json", cwd=tmp_path).json()["disputes"] is None


@pytest.mark.parametrize(
    ("retention", "leaves", "whole", "mean"),
    [("0.8", 512, 3, 4), ("0.8", 160, 1, 1), ("0.8", 144, 0, 1), ("1", 65536, 128, 128), ("0.6", 2048, 7, 9)],
)
def test_how_many_disputes_a_key_is_good_for(tmp_path, retention, leaves, whole, mean):
    told = run(*PLAN, "--retention", retention, "--leaves", leaves, "--json", cwd=tmp_path).json()
    assert told["disputes"] == {"at_the_mean": mean, "leaves": leaves, "whole_range": whole}
    ratio = (int(float(retention) * 10), 10)
    assert sequential_size(10, 160, ratio).disputes(leaves) == (whole, mean)
    text = run(*PLAN, "--retention", retention, "--leaves", leaves, cwd=tmp_path).out
    if whole:
        assert f"a key of {leaves} leaves has room for {whole} dispute" in text
        assert f"{mean} if each takes the average" in text
        assert "a suspect that lost the mark, or never had it, uses its whole range" in text
    else:
        assert "is smaller than one range of 160" in text


@pytest.mark.parametrize("leaves", [0, -16, 8, 100, 2064, 65552])
def test_leaves_that_no_key_has(tmp_path, leaves):
    check_error(run(*PLAN, "--leaves", leaves, cwd=tmp_path), 2, f"a key cannot have {leaves} leaves")


def test_leaves_that_are_no_number(tmp_path):
    check_error(run(*PLAN, "--leaves", "many", cwd=tmp_path), 2, "'many' is not a valid integer")
