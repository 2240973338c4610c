"""``wmproto status``: what is left of a key says the same as the next dispute, and strangers change nothing."""

import json

import pytest
from town import PASS, PASSPHRASE, check_error, dispute, run, snapshot

from wmproto.crypto.secretfile import open_secret
from wmproto.crypto.signer import Signer
from wmproto.dispute.transcript import Transcript
from wmproto.registry.log import Log
from wmproto.wire.canonical import canonical_json

STATUS = ("status", "mykey", "--registry", "registry.db")
COPY = ("status", "mykey", "--log-copy", "log-copy.jsonl")
STRANGER = Signer(b"x" * 32)


def signer(home, role):
    return open_secret((home / f"{role}.key").read_bytes(), PASSPHRASE.encode()).signer()


def envelopes(home, name="first.json"):
    """(admit, decide) of a transcript."""
    steps = Transcript.parse((home / name).read_bytes()).steps
    return steps[2].message, steps[-1].message


def changed(envelope, by, **fields):
    """The same message with fields of its predicate changed, signed by somebody."""
    payload = json.loads(envelope.payload)
    payload["predicate"] |= fields
    return by.envelope(canonical_json(payload))


def append(home, *entries):
    log = Log.open(home / "registry.db", signer(home, "log"))
    try:
        return [log.append(kind, envelope).index for kind, envelope in entries]
    finally:
        log.close()


def test_status_after_one_dispute(home):
    before = snapshot(home)
    told = run(*STATUS, "--json", cwd=home).json()
    arbitrator = signer(home, "arbitrator").public.hex()
    assert told["disputes"] == [
        {
            "admit": 2,
            "arbitrator": arbitrator,
            "count": 64,
            "decide": 3,
            "open": False,
            "rounds": 2,
            "start": 0,
            "suspect": "model X of company Y",
            "verdict": "DEPENDENT",
        }
    ]
    assert (told["leaves"], told["taken"], told["next_start"], told["left"], told["grid"]) == (128, 32, 32, 96, 16)
    assert (told["rounds_left"], told["key_entry"], told["log_entries"], told["not_counted"]) == (6, 0, 4, [])
    assert run(*COPY, "--json", cwd=home).json() == told
    assert run(*STATUS, cwd=home).out.splitlines()[1:] == [
        "log         log.example/1, 4 entries; the key is entry 0",
        "leaves      128: 32 taken, first free 32",
        "next start  leaf 32 (a multiple of 16); from there 96 leaves, 6 rounds",
        "disputes    1",
        f'  entry 2    leaves 0 to 63, "model X of company Y", arbitrator {arbitrator[:16]}: '
        "DEPENDENT after 2 rounds (entry 3)",
    ]
    assert snapshot(home) == before


def test_a_key_without_disputes(home):
    submit = ("registry", "submit", "registry.db", "fresh/statement.json", "--key", "log.key", "--receipt", "f.proof")
    assert run(*submit, *PASS, cwd=home).code == 0
    vkey = run("registry", "export", "registry.db", "new.jsonl", cwd=home).out.strip()
    activate = ("key", "activate", "fresh", "--key", "owner.key", "--receipt", "f.proof", "--log", vkey)
    assert run(*activate, *PASS, cwd=home).code == 0
    lines = run("status", "fresh", "--registry", "registry.db", cwd=home).out.splitlines()
    assert lines[2:] == [
        "leaves      16: 0 taken, first free 0",
        "next start  leaf 0 (a multiple of 16); from there 16 leaves, 1 round",
        "disputes    none",
    ]
    check_error(run("status", "fresh", "--log-copy", "log-copy.jsonl", cwd=home), 2, "is older than the key's receipt")


def test_the_next_start_is_one_that_a_dispute_takes(home):
    start = run(*STATUS, "--json", cwd=home).json()["next_start"]
    check_error(run(*dispute("new.json", start=start - 16), cwd=home), 4, "are taken")
    assert run(*dispute("new.json", start=start, model="stranger.safetensors", count=96), cwd=home).code == 10
    told = run(*STATUS, "--json", cwd=home).json()
    assert (told["taken"], told["next_start"], told["left"], told["rounds_left"]) == (128, None, 0, 0)
    assert [d["verdict"] for d in told["disputes"]] == ["DEPENDENT", "NOT SHOWN"]
    assert "next start  none: all leaves are used up" in run(*STATUS, cwd=home).out


def test_an_open_dispute_holds_its_whole_range(home):
    """Admitted again under a new filing, and never decided."""
    admit, _ = envelopes(home)
    owner, arbitrator = signer(home, "owner"), signer(home, "arbitrator")
    inner = json.loads(admit.payload)["predicate"]["file"]
    from wmproto.wire.dsse import Envelope

    file = changed(Envelope.parse(canonical_json(inner)), owner, start=64, count=32, suspect="\u202e!lived")
    again = changed(admit, arbitrator, file=json.loads(file.to_bytes()))
    assert append(home, ("admit", again)) == [4]
    told = run(*STATUS, "--json", cwd=home).json()
    assert (told["taken"], told["next_start"], told["left"]) == (96, 96, 32)
    assert told["disputes"][1] | {"arbitrator": ""} == {
        "admit": 4,
        "arbitrator": "",
        "count": 32,
        "decide": None,
        "open": True,
        "rounds": None,
        "start": 64,
        "suspect": "\u202e!lived",
        "verdict": None,
    }
    said = run(*STATUS, cwd=home).out
    assert 'leaves 64 to 95, "\\u202e!lived", arbitrator' in said, "nothing turns the reader's terminal around"
    assert said.rstrip().endswith("open, all of them taken")


def test_entries_that_do_not_count_are_shown_and_change_nothing(home):
    before = run(*STATUS, "--json", cwd=home).json()
    admit, decide = envelopes(home)
    arbitrator = signer(home, "arbitrator")
    other = changed(admit, arbitrator, policy={"bits": 7, "suspects_log2": 24})
    at = append(
        home,
        ("admit", STRANGER.envelope(admit.payload)),
        ("decide", STRANGER.envelope(decide.payload)),
        ("admit", other),
        ("decide", changed(decide, arbitrator, rounds=0)),
    )
    after = run(*STATUS, "--json", cwd=home).json()
    assert after["disputes"] == before["disputes"]
    assert after["taken"] == before["taken"]
    why = [
        (i["entry"], i["type"], i["signer"] == STRANGER.public.hex(), i["why"].split(":")[0])
        for i in after["not_counted"]
    ]
    assert why == [
        (at[0], "admit", True, "a stranger's"),
        (at[1], "decide", True, "it ends no open dispute that its signer admitted"),
        (at[2], "admit", False, "its file was admitted before"),
        (at[3], "decide", False, "it ends no open dispute that its signer admitted"),
    ]
    assert "not counted 4 (they take and free no leaf)" in run(*STATUS, cwd=home).out


def another_log(home):
    new = ("registry", "new", "other.db", "--origin", "other.example/1", "--key", "other-log.key", *PASS)
    assert run(*new, cwd=home).code == 0
    assert run("registry", "export", "other.db", "other.jsonl", cwd=home).code == 0


def drop_last(home):
    lines = (home / "log-copy.jsonl").read_bytes().splitlines(keepends=True)
    (home / "log-copy.jsonl").write_bytes(b"".join(lines[:-1]))


def foreign_receipt(home):
    record = json.loads((home / "mykey/activation.json").read_bytes())
    from base64 import b64encode

    record["receipt"] = b64encode((home / "release.tlog-proof").read_bytes()).decode()
    (home / "mykey/activation.json").write_bytes(canonical_json(record))


BAD = {
    "no log": (None, ("status", "mykey"), 2, "one log is needed", True),
    "two logs": (None, (*STATUS, *COPY[2:]), 2, "one log is enough", True),
    "no folder": (None, ("status", *STATUS[2:]), 2, "missing argument 'FOLDER'", True),
    "nothing there": (None, ("status", "no", *STATUS[2:]), 2, "no is no whole key folder", True),
    "a key file": (None, ("status", "owner.key", *STATUS[2:]), 2, "not a directory", True),
    "not activated": (None, ("status", "fresh", *STATUS[2:]), 4, "fresh is not activated", True),
    "no such log": (None, (*STATUS[:3], "no.db"), 5, "there is no log at no.db", True),
    "no log's database": (None, (*STATUS[:3], "trust.json"), 5, "is no database of wmproto", True),
    "another log": (another_log, (*STATUS[:3], "other.db"), 2, "activated in the log log.example/1", True),
    "no copy": (None, (*COPY[:3], "no.jsonl"), 2, "there is no copy of the log at 'no.jsonl'", True),
    "the database as a copy": (None, (*COPY[:3], "registry.db"), 3, "log copy: ", False),
    "another log's copy": (another_log, (*COPY[:3], "other.jsonl"), 1, "not signed by log.example/1", False),
    "an entry hidden": (drop_last, COPY, 1, "an entry is missing", False),
    "another receipt": (foreign_receipt, STATUS, 1, "", False),
}


@pytest.mark.parametrize(("prepare", "args", "code", "words", "hint"), BAD.values(), ids=BAD)
def test_status_on_bad_input(home, prepare, args, code, words, hint):
    if prepare is not None:
        prepare(home)
    before = snapshot(home)
    check_error(run(*args, cwd=home), code, words, hint=hint)
    assert snapshot(home) == before


def test_a_log_restored_from_before_the_key_is_no_source(town, home):
    """An old backup of the log would call leaves free that are taken."""
    (home / "registry.db").unlink()
    log = Log.create(home / "registry.db", "log.example/1", signer(home, "log"))
    log.close()
    check_error(run(*STATUS, cwd=home), 5, "contradicts itself: it has 0 entries and has signed a checkpoint of 1")
    assert run("registry", "export", "registry.db", "old.jsonl", cwd=home).code == 0
    check_error(run(*COPY[:3], "old.jsonl", cwd=home), 2, "is older than the key's receipt")


def test_a_log_with_another_past_is_named(town, home):
    (home / "registry.db").unlink()
    log = Log.create(home / "registry.db", "log.example/1", signer(home, "log"))
    from wmproto.wire.dsse import Envelope

    log.append("key", Envelope.parse((home / "fresh/statement.json").read_bytes()))
    log.close()
    check_error(run(*STATUS, cwd=home), 5, "it has signed another root for its first 1 entries")
    assert run("registry", "export", "registry.db", "fork.jsonl", cwd=home).code == 0
    result = run(*COPY[:3], "fork.jsonl", cwd=home)
    check_error(result, 1, "the log signed two pasts", hint=False)
