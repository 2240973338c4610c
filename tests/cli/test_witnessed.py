"""A town whose log is watched: three witnesses in processes of their own, and a policy that asks for two of them."""

from __future__ import annotations

import json
import signal

import pytest
from running import make_witness, policy_text, start_witness
from town import PASS, check_error, dispute, run

from wmproto.dispute.messages import message_kind
from wmproto.dispute.transcript import Transcript
from wmproto.registry import gather
from wmproto.registry.note import LogKey, Note
from wmproto.registry.policy import LogPolicy
from wmproto.registry.receipt import Receipt

pytestmark = [pytest.mark.torch, pytest.mark.slow]
NAMES = ("ann", "bob", "cem")
POLICY = ("--policy", "my.policy")


class Watch:
    """The witnesses' processes, and the policies that name them."""

    def __init__(self, home, folder, log):
        self.home, self.folder, self.log = home, folder, log
        (folder / "logs.policy").write_bytes(policy_text([log], {}, "none"))
        self.keys = {name: make_witness(folder, name) for name in NAMES}
        self.running = {}
        for name in NAMES:
            self.start(name)
        self.write()

    def start(self, name, listen="127.0.0.1:0"):
        self.running[name] = start_witness(self.folder, name, self.keys[name], self.folder / "logs.policy", listen)

    def restart(self, name):
        self.start(name, self.running[name].url.removeprefix("http://"))

    def write(self, name="my.policy", quorum="2", listed=NAMES):
        where = {n: (self.keys[n], self.running[n].url) for n in listed}
        (self.home / name).write_bytes(policy_text([self.log], where, quorum))
        return LogPolicy.parse((self.home / name).read_bytes())

    def kill(self, *names):
        for name in names:
            self.running[name].stop(signal.SIGKILL)


@pytest.fixture
def watch(town, home, tmp_path):
    (tmp_path / "witnesses").mkdir()
    watch = Watch(home, tmp_path / "witnesses", LogKey.parse(town.vkey))
    yield watch
    for witness in watch.running.values():
        if witness.process.poll() is None:
            witness.stop()


def submit(receipt, *more):
    return ("registry", "submit", "registry.db", "fresh/statement.json", "--key", "log.key", "--receipt", receipt, *PASS, *more)  # fmt: skip


def signers(note):
    return sorted({name for name, _ in Note.parse(note).lines})


def test_submit_gathers_cosignatures_and_names_who_is_missing(watch, home):
    said = run(*submit("a.proof", *POLICY, "--json"), cwd=home)
    assert (said.code, said.err) == (0, "")
    digest = watch.write().digest.hex()
    assert said.json()["witnesses"] == {"cosigned": list(NAMES), "missing": {}, "policy": digest, "quorum": True}
    note = Receipt.parse((home / "a.proof").read_bytes()).note
    assert signers(note) == ["ann.test", "bob.test", "cem.test", "log.example/1"]
    watch.write().verify(note, strict=True)
    watch.kill("bob")
    again = run(*submit("b.proof", *POLICY), cwd=home)
    assert again.code == 0
    assert (home / "b.proof").read_bytes() == (home / "a.proof").read_bytes(), "lines that are kept are not asked again"
    assert again.out == "key entry 4; receipt: b.proof\ncosigned by ann\ncosigned by bob\ncosigned by cem\n"


def test_dead_witnesses_block_no_receipt(watch, home):
    watch.kill("ann", "bob")
    said = run(*submit("a.proof", *POLICY), cwd=home)
    assert said.code == 0
    assert "warning: no cosignature of ann: " in said.err
    assert "warning: no cosignature of bob: " in said.err
    assert "the checkpoint lacks the quorum enough" in said.err
    assert signers(Receipt.parse((home / "a.proof").read_bytes()).note) == ["cem.test", "log.example/1"]
    activate = ("key", "activate", "fresh", "--key", "owner.key", "--receipt", "a.proof", "--log", str(watch.log))
    check_error(run(*activate, *PASS, *POLICY, cwd=home), 1, "lacks the quorum enough .*witnessed by: cem", hint=False)
    assert not (home / "fresh" / "activation.json").exists()
    watch.restart("ann")
    assert run(*submit("a.proof", *POLICY), cwd=home).code == 0, "the same command asks again"
    said = run(*activate, *PASS, *POLICY, cwd=home)
    assert (said.code, watch.write().digest.hex() in said.out) == (0, True)


def test_only_a_receipt_of_the_same_entry_is_replaced(watch, home):
    for name in ("mykey.tlog-proof", "trust.json"):
        before = (home / name).read_bytes()
        check_error(run(*submit(name), cwd=home), 2, f"{name} exists already, and is no receipt of this entry")
        assert (home / name).read_bytes() == before
    assert run("registry", "export", "registry.db", "copy.jsonl", "--json", cwd=home).json()["entries"] == 4


def test_a_copy_is_cosigned_before_it_is_written(watch, home):
    said = run("registry", "export", "registry.db", "copy.jsonl", *POLICY, "--json", cwd=home)
    assert said.json()["witnesses"]["cosigned"] == list(NAMES)
    head = json.loads((home / "copy.jsonl").read_text(encoding="utf-8").split("\n")[0])["checkpoint"]
    watch.write().verify(head.encode(), strict=True)
    watch.kill("ann", "bob")
    tiles = run("registry", "export", "registry.db", "tiles", "--tiles", *POLICY, cwd=home)
    assert (tiles.code, tiles.err) == (0, ""), "the log holds the lines already"
    watch.write().verify((home / "tiles" / "checkpoint").read_bytes(), strict=True)


def test_a_store_that_was_rolled_back_signs_nothing(watch, home):
    backup = (home / "registry.db").read_bytes()
    assert run(*submit("a.proof", *POLICY), cwd=home).code == 0
    (home / "registry.db").write_bytes(backup)
    for name in ("registry.db-wal", "registry.db-shm"):
        (home / name).unlink(missing_ok=True)
    check_error(run(*submit("b.proof", *POLICY), cwd=home), 5, "is behind what it has signed, or forked: the witness ")
    assert (home / "registry.db").read_bytes()[:100] == backup[:100]
    assert not (home / "b.proof").exists()
    entries = run("registry", "export", "registry.db", "copy.jsonl", "--json", cwd=home).json()["entries"]
    assert entries == 4


def test_a_release_is_recorded_and_verified_under_a_policy(watch, home):
    record = ("release", "record", "mykey", "--key", "owner.key", "--model", "stranger.safetensors", "--registry")
    said = run(*record, "registry.db", "--log-key", "log.key", "--out", "r.json", "--receipt", "r.proof", *PASS, *POLICY, "--json", cwd=home)  # fmt: skip
    assert (said.code, said.json()["witnesses"]["cosigned"]) == (0, list(NAMES))
    verify = ("release", "verify", "r.json", "--receipt", "r.proof", "--log", str(watch.log))
    checked = run(*verify, *POLICY, "--json", cwd=home).json()["checked"]
    assert checked[-1] == f"quorum enough of the log policy {watch.write().digest.hex()}"
    old = ("release", "verify", "release.json", "--receipt", "release.tlog-proof", "--log", str(watch.log))
    check_error(run(*old, *POLICY, cwd=home), 1, "lacks the quorum enough .*witnessed by: nobody", hint=False)
    check_error(run("release", "verify", "r.json", *POLICY, cwd=home), 2, "--policy judges a receipt")


def test_a_dispute_waits_for_the_quorum_and_goes_on(watch, home):
    watch.kill("ann", "bob")
    command = dispute("d.json", *POLICY, model="stranger.safetensors", start=48, count=32)
    check_error(run(*command, cwd=home), 5, "the checkpoint of 4 entries lacks the quorum enough; ann: ")
    assert not (home / "d.json").exists()
    watch.restart("ann")
    said = run(*command, cwd=home)
    assert (said.code, said.err) == (10, "")
    data = (home / "d.json").read_bytes()
    policy = watch.write()
    for step in Transcript.parse(data).steps:
        for receipt in step.receipts:
            policy.verify(Receipt.parse(receipt).note, strict=True)
    trust = ("--trust", "trust.json")
    audited = run("dispute", "audit", "d.json", *trust, *POLICY, "--json", cwd=home)
    assert (audited.code, audited.json()["policy"]) == (10, policy.digest.hex())
    shown = run("dispute", "audit", "d.json", *trust, *POLICY, cwd=home).out
    assert f"  log policy {policy.digest.hex()}, quorum enough\n" in shown
    assert "the same past, if it and 1 of the policy's witnesses lie together" in shown
    watch.write("all.policy", "all")
    audit_all = run("dispute", "audit", "d.json", *trust, "--policy", "all.policy", cwd=home)
    check_error(audit_all, 1, "lacks the quorum enough .*witnessed by: ann, cem", hint=False)
    watch.write("strangers.policy", "any", ("ann",))
    strange = run("dispute", "audit", "d.json", *trust, "--policy", "strangers.policy", cwd=home)
    check_error(strange, 1, r"bears a signature of cem\.test, whom the log policy does not know")
    page = ("dispute", "report", "d.json", *trust, "--out", "page.html")
    assert run(*page, *POLICY, cwd=home).code == 0
    assert policy.digest.hex() in (home / "page.html").read_text(encoding="utf-8")
    older = run("dispute", "audit", "first.json", *trust, *POLICY, cwd=home)
    check_error(older, 1, "lacks the quorum enough .*witnessed by: nobody", hint=False)


def test_a_dispute_that_was_admitted_goes_on_when_the_witnesses_are_back(watch, home):
    """admit is said and logged, and finds no quorum: no leaf is asked until it does."""
    command = dispute("d.json", *POLICY, model="stranger.safetensors", start=48, count=32)
    real, calls = gather.gather, []

    def dying(*args, **kw):
        calls.append(0)
        if len(calls) == 3:  # after the file's receipts and the head: for admit's receipts, when it is logged
            watch.kill("ann", "bob")
        return real(*args, **kw)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gather, "gather", dying)
        check_error(run(*command, cwd=home), 5, "the checkpoint of 5 entries lacks the quorum enough; ann: ")
    steps = Transcript.parse((home / "d.json").read_bytes()).steps
    assert [message_kind(s.message.payload) for s in steps] == ["file", "bind", "admit"]
    assert not any(s.receipts for s in steps)
    check_error(run(*command, cwd=home), 5, "the checkpoint of 5 entries lacks the quorum enough; ann: ")
    assert (home / "d.json").read_bytes() == Transcript(format="wmproto/transcript@v1", steps=steps).to_bytes()
    watch.restart("ann")
    assert run(*command, cwd=home).code == 10
    audited = run("dispute", "audit", "d.json", "--trust", "trust.json", *POLICY, "--json", cwd=home).json()
    assert (audited["findings"], audited["problems"], audited["leaves"]) == ([], [], 32)


def test_another_log_than_the_policy_s_is_refused_before_anything_is_signed(watch, home):
    new = ("registry", "new", "other.db", "--origin", "other/1", "--key", "other.key", *PASS)
    assert run(*new, cwd=home).code == 0
    other = ("registry", "submit", "other.db", "fresh/statement.json", "--key", "other.key", "--receipt", "o.proof", *PASS)  # fmt: skip
    check_error(run(*other, *POLICY, cwd=home), 2, "the log policy does not name the log other/1")
    assert run("registry", "export", "other.db", "copy.jsonl", "--json", cwd=home).json()["entries"] == 0


def test_policy_check_says_what_it_is_worth(watch, home):
    said = run("policy", "check", "my.policy", cwd=home)
    assert (said.code, said.err) == (0, "")
    assert "two pasts can both count if the log lies and so does 1 witness, for example ann\n" in said.out
    assert "no checkpoint counts if 2 witnesses are silent, for example ann and bob\n" in said.out
    assert "quorum        enough (2 of ann, bob, cem)\n" in said.out
    data = run("policy", "check", "my.policy", "--json", cwd=home).json()
    assert (data["liars"], data["enough"], data["silencers"]) == (["ann"], ["ann", "bob"], ["ann", "bob"])
    watch.write("any.policy", "any")
    any_of = run("policy", "check", "any.policy", cwd=home).out
    assert "warning       the log alone can show two pasts" in any_of
    (home / "bad.policy").write_text(f"log {watch.log}\nquorum x\n")
    check_error(run("policy", "check", "bad.policy", cwd=home), 3, "log policy, line 2: ")
    check_error(run("policy", "check", "no.policy", cwd=home), 2, "no log policy at|log policy")
