"""``dispute show``: message by message, up to where a transcript stops being true."""

import json
import subprocess
import sys

import pytest
from town import check_error, run, snapshot

SHOW = ("dispute", "show", "first.json")


def rewrite(home, change):
    transcript = json.loads((home / "first.json").read_bytes())
    change(transcript["steps"])
    data = json.dumps(transcript, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    (home / "first.json").write_text(data)


def test_who_said_what(home):
    before = snapshot(home)
    result = run(*SHOW, cwd=home)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    key = run("key", "show", "mykey", "--json", cwd=home).json()["key_id"]
    assert lines[0] == f"key {key}, log log.example/1"
    assert [line.split()[1] for line in lines[1:-1]] == [
        "file",
        "bind",
        "admit",
        *["ask", "answer", "open"] * 2,
        "decide",
    ]
    assert [line.split()[2] for line in lines[1:4]] == ["claimant", "escrow", "arbitrator"]
    assert 'claims that "model X of company Y" depends on the key, leaves 0 to 63' in lines[1]
    assert "key: entry 0, release: entry 1" in lines[1]
    assert lines[3].endswith("earlier entries of the key: none (entry 2)")
    assert lines[-2].endswith("decides DEPENDENT after 2 rounds (entry 3)")
    assert lines[-1] == "all 10 messages hold"
    assert snapshot(home) == before


def test_for_machines(home):
    told = run(*SHOW, "--json", cwd=home).json()
    assert (told["steps"], told["error"], len(told["messages"])) == (10, None, 10)
    first, last = told["messages"][0], told["messages"][-1]
    assert (first["n"], first["kind"], first["role"], first["entry"], first["notes"]) == (
        0,
        "file",
        "claimant",
        None,
        [],
    )
    assert (last["kind"], last["entry"]) == ("decide", 3)
    assert [first["signer"]] == json.loads((home / "trust.json").read_text())["owners"]


def test_a_transcript_may_end_anywhere(home):
    for steps in range(9, 0, -1):
        rewrite(home, lambda s, n=steps: s.__delitem__(slice(n, None)))
        result = run(*SHOW, cwd=home)
        assert result.code == 0
        assert result.out.splitlines()[-1] == f"all {steps} messages hold; the arbitrator has not decided"


def test_false_evidence_is_shown_up_to_the_lie(home):
    rewrite(home, lambda steps: steps.__setitem__(4, steps[7]))  # the second answer in the place of the first
    result = run(*SHOW, cwd=home)
    lines = result.out.splitlines()
    assert result.code == run("dispute", "audit", "first.json", cwd=home).code == 1
    assert [line.split()[1] for line in lines[1:-1]] == ["file", "bind", "admit", "ask"]
    assert lines[-1] == "4 of 10 messages hold; message 4 does not"
    assert result.err.startswith("wmproto: error: step 4: ")
    assert "rule: dis-chain-2" in result.err
    told = run(*SHOW, "--json", cwd=home)
    assert told.code == 1
    assert len(told.json()["messages"]) == 4
    assert told.json()["error"]["rule"] == "dis-chain-2"
    assert told.json()["error"]["text"].startswith("step 4: ")


def test_a_false_first_message(home):
    rewrite(home, lambda steps: steps.pop(0))
    result = run(*SHOW, cwd=home)
    assert (result.code, result.out) == (1, "0 of 9 messages hold; message 0 does not\n")
    assert run(*SHOW, "--json", cwd=home).json()["key_id"] is None


def test_a_malformed_message_has_the_code_of_malformed_bytes(home):
    rewrite(home, lambda steps: steps[3]["message"].__setitem__("payload", "e30="))
    result = run(*SHOW, cwd=home)
    assert result.code == 3
    assert result.out.splitlines()[-1] == "3 of 10 messages hold; message 3 does not"
    assert "step 3: not a message of a dispute" in result.err


def test_hostile_words_do_not_reach_the_terminal(home):
    """No control character may stand in a signed text; what turns text around may, and is escaped."""
    from test_status import changed, signer

    from wmproto.dispute.transcript import Transcript

    file = Transcript.parse((home / "first.json").read_bytes()).steps[0].message
    mine = json.loads(changed(file, signer(home, "owner"), suspect="\u202e\u2066evil\u200b").to_bytes())
    rewrite(home, lambda steps: (steps[0].__setitem__("message", mine), steps.__delitem__(slice(1, None))))
    said = run(*SHOW, cwd=home).out
    assert 'claims that "\\u202e\\u2066evil\\u200b" depends' in said
    assert all(c.isprintable() or c == "\n" for c in said)
    assert run(*SHOW, "--json", cwd=home).stdout.isascii()
    mine = json.loads(changed(file, signer(home, "owner"), suspect="\x1b[2J").to_bytes())
    rewrite(home, lambda steps: steps[0].__setitem__("message", mine))
    result = run(*SHOW, cwd=home)
    assert result.code == 3
    assert "\x1b" not in result.out + result.err


def no_steps(home):
    (home / "first.json").write_bytes(b'{"format":"wmproto/transcript@v1","steps":[]}')


@pytest.mark.parametrize(
    ("prepare", "name", "code", "words", "hint"),
    [
        (None, "no.json", 2, "there is no transcript at 'no.json'", True),
        (None, "mykey", 2, "cannot read the transcript 'mykey'", True),
        (None, "trust.json", 3, "transcript: ", False),
        (None, "release.json", 3, "transcript: ", False),
        (None, "marked.safetensors", 3, "transcript: not JSON", False),
        (no_steps, "first.json", 3, "it holds no message", False),
    ],
)
def test_show_on_bad_input(home, prepare, name, code, words, hint):
    if prepare is not None:
        prepare(home)
    check_error(run("dispute", "show", name, cwd=home), code, words, hint=hint)


def test_show_loads_neither_torch_nor_numpy_nor_a_database():
    code = "import wmproto.cli.main, wmproto.cli.dispute_show, sys; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"torch", "numpy", "sqlalchemy", "rich"} & set(loaded)
