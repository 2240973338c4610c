"""A whole real session: what each command says and leaves behind, in this process and in processes of their own."""

import re
import shutil
import stat

import pytest
from town import CLASSES, LEAVES, PASS, check_error, dispute, run, run_process, snapshot

from wmproto.dispute.audit import audit
from wmproto.dispute.trust import Trust

HEX = "[0-9a-f]{64}"
LOG = ("--registry", "registry.db", "--log-key", "log.key")
SAID = {
    "key new owner": HEX,
    "key new arbitrator": HEX,
    "key new respondent": HEX,
    "registry new": r"log\.example/1\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}",
    "commit mykey": rf"key {HEX}\nnow: wmproto registry submit REGISTRY mykey/statement\.json",
    "submit mykey": r"key entry 0; receipt: mykey\.tlog-proof",
    "activate mykey": r"labels are born: \d+ leaves to mark, \d+ ghosts",
    "mark train": rf"model {HEX}\nmarks kept: (\d+) of \1",
    "release record": rf"release of model {HEX} is logged",
    "dispute run": r"DEPENDENT: 163 bits of 160 after \d+ leaves \(25 hits of 25 marked\)\nrecheck it: .*",
    "export": r"log\.example/1\+.*",
    "commit fresh": rf"key {HEX}\nnow: .*",
}


def test_a_session_says_data_on_stdout_and_nothing_on_stderr(town):
    assert set(town.said) == set(SAID)
    for name, result in town.said.items():
        assert result.err == "", name
        assert re.fullmatch(SAID[name], result.out.removesuffix("\n")), (name, result.out)


def test_a_session_leaves_exactly_its_files_behind(town):
    files = snapshot(town.home)
    assert sorted(files) == sorted(
        ["arbitrator.key", "data.npz", "first.json", "fresh", "fresh/pictures.npz", "fresh/recipe.json"]
        + ["fresh/statement.json", "log-copy.jsonl", "log.key", "marked.safetensors", "mykey"]
        + ["mykey/activation.json", "mykey/recipe.json", "mykey/statement.json", "mykey.tlog-proof", "own"]
        + [f"own/{i:02}.png" for i in range(16)]
        + ["owner.key", "pass.txt", "registry.db", "release.json", "release.tlog-proof", "respondent.key"]
        + ["stranger.safetensors", "trust.json", "wrong.txt"]
    )
    private = [name for name, (mode, _) in files.items() if stat.S_IMODE(mode) == 0o600]
    assert private == ["arbitrator.key", "fresh/pictures.npz", "log.key", "owner.key", "respondent.key"]


# --- each command in a process of its own


def own_processes():
    """(arguments, exit code, what stdout is) in an order in which they can follow one another.

    The demo, and mark check over what it made, stand in test_demo_fast.
    """
    release = ("--model", "stranger.safetensors", *LOG, "--out", "r.json", "--receipt", "r.proof", *PASS)
    train = ("--data", "data.npz", "--seed", 1, "--epochs", 1, "--out", "m.safetensors", *PASS)
    submit = ("fresh/statement.json", "--key", "log.key", "--receipt", "fresh.proof", *PASS)
    commit = ("--key", "owner.key", "--leaves", 16, "--classes", "cat, dog", "--shape", "4x4x3", *PASS)
    return [
        (("key", "new", "new.key", "--role", "arbitrator", *PASS), 0, HEX),
        (("key", "show", "new.key"), 0, f"arbitrator {HEX}"),
        (("registry", "new", "new.db", "--origin", "new/1", "--key", "new-log.key", *PASS), 0, r"new/1\+.*"),
        (("commit", "create", "new", *commit), 0, rf"key {HEX}\nnow: .*"),
        (("registry", "submit", "registry.db", *submit), 0, r"key entry 4; receipt: fresh\.proof"),
        (("key", "activate", "fresh", "--key", "owner.key", "--receipt", "fresh.proof", "--log", "VKEY", *PASS), 0, "labels .*"),
        (("mark", "train", "mykey", "--key", "owner.key", *train), 0, rf"model {HEX}\nmarks kept: \d+ of \d+"),
        (("release", "record", "mykey", "--key", "owner.key", *release), 0, "release of model .* is logged"),
        (("release", "verify", "r.json", "--receipt", "r.proof", "--log", "VKEY"), 0, "(?s)release of .*, entry 5 of the log"),
        (dispute("new.json", "--release", "r.json", start=48, count=32, model="stranger.safetensors"), 10, "NOT SHOWN: (?s:.*)"),
        (("dispute", "audit", "new.json", "--trust", "trust.json"), 10, "NOT SHOWN(?s:.*)"),
        (("dispute", "replay", "new.json", "--model", "stranger.safetensors"), 0, "all 32 answers are what(?s:.*)"),
        (("registry", "prove", "registry.db", 0), 0, r"c2sp\.org/tlog-proof@v1\nindex 0\n(?s:.*)"),
        (("registry", "export", "registry.db", "log-copy.jsonl"), 0, r"log\.example/1\+.*"),
        (("verdict", "plan", "--classes", 10), 0, r"C = 10, retention 0\.8, 160 bits\n(?s:.*)"),
    ]  # fmt: skip


@pytest.mark.slow
def test_each_command_in_a_process_of_its_own(town, home):
    for args, code, words in own_processes():
        result = run_process(*(town.vkey if a == "VKEY" else a for a in args), cwd=home)
        assert (result.code, result.err) == (code, ""), args
        assert re.fullmatch(words, result.out.removesuffix("\n")), (args, result.out)
    assert not list(home.rglob("*-wal")) + list(home.rglob("*.tmp"))


def test_an_error_in_a_process_of_its_own(home):
    before = snapshot(home)
    check_error(run_process("registry", "prove", "no.db", 0, cwd=home), 5, "there is no log at no.db")
    check_error(run_process("dispute", "audit", "pass.txt", cwd=home), 3, "transcript: not JSON", hint=False)
    assert snapshot(home) == before


# --- readers for machines


def readers():
    """Each command that takes --json, in an order in which they can follow one another, and the fields it prints."""
    keep = "hits marked model"
    return [
        (("key", "new", "new.key", "--role", "owner", *PASS), "path public role"),
        (("key", "show", "new.key"), "public role"),
        (("key", "show", "mykey"), "activated classes key_id leaves owner root shape"),
        (("commit", "create", "new", "--key", "owner.key", "--leaves", 16, "--classes", "a,b", "--shape", "2x2x1", *PASS), "key_id root statement"),
        (("registry", "new", "new.db", "--origin", "new/1", "--key", "new-log.key", *PASS), "database vkey"),
        (("registry", "submit", "registry.db", "fresh/statement.json", "--key", "log.key", "--receipt", "fresh.proof", *PASS), "index receipt type"),
        (("registry", "prove", "registry.db", 1), "index receipt type"),
        (("registry", "export", "registry.db", "log-copy.jsonl"), "entries out vkey"),
        (("registry", "export", "registry.db", "public", "--tiles"), "entries out vkey"),
        (("registry", "fsck", "registry.db"), "checkpoints cosignatures entries nodes past vkey"),
        (("policy", "check", "my.policy"), "digest enough liars logs quorum silencers warnings witnesses"),
        (("registry", "monitor", "public", "--policy", "my.policy", "--state", "seen"), "ahead bad bad_before log new old policy seen silent stale unwitnessed"),
        (("witness", "new", "w.db", "--name", "w/1", "--key", "w.key", *PASS), "state vkey"),
        (("key", "activate", "fresh", "--key", "owner.key", "--receipt", "fresh.proof", "--log", "VKEY", *PASS), "ghosts key_id leaves marked policy"),
        (("mark", "train", "mykey", "--key", "owner.key", "--data", "data.npz", "--seed", 1, "--epochs", 1, "--out", "m.safetensors", *PASS), f"{keep} out"),
        (("mark", "check", "mykey", "--key", "owner.key", "--model", "m.safetensors", *PASS), f"{keep} classes expected int8 leaves_99 leaves_left leaves_mean"),
        (("release", "record", "mykey", "--key", "owner.key", "--model", "m.safetensors", *LOG, "--out", "r.json", "--receipt", "r.proof", *PASS), "index model out receipt"),
        (("release", "verify", "r.json", "--model", "m.safetensors"), "checked files key_id model owner recipient"),
        (dispute("new.json", start=48, count=32, model="m.safetensors"), "bits evidence_log2 hits leaves marked policy problems transcript verdict"),
        (("dispute", "replay", "new.json", "--model", "m.safetensors"), "answered model same_settings"),
        (("verdict", "plan", "--classes", 10), "bits classes disputes fixed_size marked_99 marked_mean_tenths offered_99 range retention"),
    ]  # fmt: skip


def no_floats(value):
    if isinstance(value, dict):
        return all(no_floats(v) for v in value.values())
    return all(map(no_floats, value)) if isinstance(value, list) else not isinstance(value, float)


def test_every_reader_prints_json_for_machines(town, home):
    (home / "my.policy").write_text(f"log {town.vkey}\nquorum none\n")
    for args, fields in readers():
        result = run(*(town.vkey if a == "VKEY" else a for a in args), "--json", cwd=home)
        assert result.code in (0, 10), (args, result.err)
        assert result.err == ""
        assert set(result.json()) == set(fields.split()), args
        assert no_floats(result.json())
    audited = run("dispute", "audit", "first.json", "--json", cwd=home).json()
    assert no_floats(audited)
    assert audited["verdict"] == "DEPENDENT"
    assert audited["trust_assumed"]


# --- verdicts and their exit codes


def test_a_check_counts_the_marks_that_are_kept(home):
    check = ("mark", "check", "mykey", "--key", "owner.key", *PASS, "--model")
    kept = run(*check, "marked.safetensors", cwd=home)
    words = r"marks kept: (\d+) of \1 \(luck alone: about 1 in 100\)\nexpected verdict: DEPENDENT .*\n"
    assert re.fullmatch(words, kept.out)
    lost = run(*check, "stranger.safetensors", "--json", cwd=home).json()
    assert lost["hits"] < 10 < lost["marked"]


def test_dependent(home):
    audited = ("dispute", "audit", "first.json")
    result = run(*audited, cwd=home)
    assert (result.code, result.err) == (15, "")
    assert result.out.startswith("DEPENDENT\n")
    assert result.out.splitlines()[-1].startswith("consistent; trust assumed: log log.example/1+")
    result = run(*audited, "--trust", "trust.json", cwd=home)
    assert (result.code, result.err) == (0, "")
    assert "trust assumed" not in result.out
    assert "(--log-copy)" in result.out
    result = run(*audited, "--trust", "trust.json", "--log-copy", "log-copy.jsonl", cwd=home)
    assert (result.code, result.err) == (0, "")
    assert "(--log-copy)" not in result.out
    result = run("dispute", "replay", "first.json", "--model", "marked.safetensors", cwd=home)
    assert (result.code, result.err) == (0, "")
    assert re.fullmatch(r"all \d+ answers are what these weights answer\nsettings .* are those of admit\n", result.out)


def test_what_the_command_says_is_what_the_library_finds(town, home):
    trust = Trust.parse((home / "trust.json").read_bytes())
    found = audit((home / "first.json").read_bytes(), trust=trust).outcome
    said = run("dispute", "audit", "first.json", "--trust", "trust.json", "--json", cwd=home).json()
    assert said["verdict"] == found.verdict == "DEPENDENT"
    assert said["evidence_log2"] == found.evidence_log2 == 163
    assert f"after {found.evidence.asked} leaves" in town.said["dispute run"].out


def test_not_shown(home):
    result = run(*dispute("s.json", start=32, model="stranger.safetensors"), cwd=home)
    assert (result.code, result.err) == (10, "")
    assert re.match(r"NOT SHOWN: -?\d+ bits of 160 after 64 leaves \(\d hits of \d+ marked\)\n", result.out)
    assert run("dispute", "audit", "s.json", cwd=home).code == 15
    assert run("dispute", "audit", "s.json", "--trust", "trust.json", cwd=home).code == 10
    assert run("dispute", "replay", "s.json", "--model", "stranger.safetensors", cwd=home).code == 0
    old = run("dispute", "audit", "s.json", "--trust", "trust.json", "--log-copy", "log-copy.jsonl", cwd=home)
    check_error(old, 1, "older than the dispute", hint=False)
    assert run("registry", "export", "registry.db", "log-copy.jsonl", cwd=home).code == 0
    new = run("dispute", "audit", "s.json", "--trust", "trust.json", "--log-copy", "log-copy.jsonl", cwd=home)
    assert (new.code, new.err) == (10, "")


def test_inadmissible(town, home):
    """A release under another key of the same owner does not speak of these labels."""
    create = ("commit", "create", "k2", "--key", "owner.key", "--leaves", LEAVES, "--shape", "12x12x1", *PASS)
    assert run(*create, "--classes", ",".join(CLASSES), cwd=home).code == 0
    submit = ("registry", "submit", "registry.db", "k2/statement.json", "--key", "log.key", "--receipt", "k2.proof")
    assert run(*submit, *PASS, cwd=home).code == 0
    activate = ("key", "activate", "k2", "--key", "owner.key", "--receipt", "k2.proof", "--log", town.vkey, *PASS)
    assert run(*activate, cwd=home).code == 0
    record = ("release", "record", "k2", "--key", "owner.key", "--model", "marked.safetensors", *LOG, *PASS)
    assert run(*record, "--out", "r2.json", "--receipt", "r2.proof", cwd=home).code == 0
    log = (home / "registry.db").read_bytes()
    result = run(*dispute("i.json", "--release", "r2.json", start=32), cwd=home)
    assert (result.code, result.err) == (13, "")
    assert "\nproblem: the release speaks of another key or other labels\n" in result.out
    assert (home / "registry.db").read_bytes() == log, "nothing is logged, and no leaf is taken"
    assert run("dispute", "audit", "i.json", cwd=home).code == 15
    assert run("dispute", "audit", "i.json", "--trust", "trust.json", cwd=home).code == 13
    check_error(run("dispute", "replay", "i.json", "--model", "marked.safetensors", cwd=home), 4, "nothing to replay")
    assert run(*dispute("better.json", "--release", "release.json", start=32), cwd=home).code == 0


# --- twice, and again


def test_submitting_twice_finds_the_entry_again(home):
    log = (home / "registry.db").read_bytes()
    submit = (
        "registry",
        "submit",
        "registry.db",
        "mykey/statement.json",
        "--key",
        "log.key",
        "--receipt",
        "again.proof",
    )
    result = run(*submit, *PASS, "--json", cwd=home)
    assert result.json() == {"index": 0, "receipt": "again.proof", "type": "key"}
    assert (home / "registry.db").read_bytes() == log


def test_a_dispute_that_is_over_is_not_held_again(town, home):
    before = snapshot(home)
    result = run(*dispute("first.json", "--release", "release.json"), cwd=home)
    assert (result.code, result.out) == (0, town.said["dispute run"].out)
    assert result.err == "this dispute was over already: no leaf was asked\n"
    assert snapshot(home) == before


def test_a_range_that_is_taken_names_one_that_is_free(home):
    taken = run(*dispute("second.json"), cwd=home)
    check_error(taken, 4, "leaves below 32 are taken")
    assert taken.err.splitlines()[-1] == "hint: --start 32"
    assert not (home / "second.json").exists()
    assert run(*dispute("second.json", start=32), cwd=home).code == 0
    used_up = run(*dispute("third.json", start=64), cwd=home)
    assert used_up.code in (0, 4)  # as few leaves as the marks among them need


def test_when_all_leaves_are_used_up(home):
    assert run(*dispute("s.json", start=32, count=96, model="stranger.safetensors"), cwd=home).code == 10
    over = run(*dispute("more.json", start=112, count=16), cwd=home)
    check_error(over, 4, "leaves below 128 are taken")
    assert over.err.splitlines()[-1] == "hint: all leaves of this key are used up"


def test_a_range_that_can_never_suffice_is_told(home):
    """16 leaves at 100 classes: 103 bits if every answer is right."""
    result = run(*dispute("short.json", start=48, count=16, model="stranger.safetensors"), cwd=home)
    assert result.code == 10
    assert result.err.startswith("wmproto: warning: 16 leaves give at most 103 bits, ")
    assert "160 are asked for (wmproto verdict plan --classes 100 --retention 0.9)" in result.err


def test_a_receipt_can_be_printed_again(town, home):
    result = run("registry", "prove", "registry.db", 1, cwd=home)
    (home / "again.proof").write_bytes(result.stdout)
    verify = ("release", "verify", "release.json", "--receipt", "again.proof", "--log", town.vkey)
    assert run(*verify, cwd=home).out.splitlines()[-1] == "checked: signature and digests, entry 1 of the log"
    empty = ("registry", "new", "empty.db", "--origin", "empty/1", "--key", "empty.key", *PASS)
    assert run(*empty, cwd=home).code == 0
    check_error(run("registry", "prove", "empty.db", 0, cwd=home), 5, "empty.db has no entry 0")


def test_a_key_shows_whether_its_labels_exist(home):
    assert run("key", "show", "mykey", cwd=home).out.splitlines()[-1] == "activated  yes"
    assert run("key", "show", "fresh", cwd=home).out.splitlines()[-1] == "activated  no: labels do not exist yet"
    assert run("key", "show", "fresh", "--json", cwd=home).json()["shape"] == [12, 12, 1]


def test_own_pictures_from_a_folder_or_a_file_give_the_same_commitment_rules(town, home):
    """The folder's key goes the whole way: registered, activated, and asked with the same bytes years later."""
    submit = (
        "registry",
        "submit",
        "registry.db",
        "fresh/statement.json",
        "--key",
        "log.key",
        "--receipt",
        "fresh.proof",
    )
    assert run(*submit, *PASS, cwd=home).code == 0
    activate = ("key", "activate", "fresh", "--key", "owner.key", "--receipt", "fresh.proof", "--log", town.vkey, *PASS)
    shutil.rmtree(home / "own")  # the key folder has its own copy
    born = run(*activate, "--json", cwd=home).json()
    assert born["marked"] + born["ghosts"] == born["leaves"] == 16
    check = ("mark", "check", "fresh", "--key", "owner.key", "--model", "stranger.safetensors", *PASS, "--json")
    assert run(*check, cwd=home).json()["marked"] == born["marked"]
    run_over = dispute("f.json", folder="fresh", count=16, model="stranger.safetensors")
    assert run(*run_over, cwd=home).code == 10
    assert run("dispute", "replay", "f.json", "--model", "stranger.safetensors", cwd=home).code == 0


def test_the_same_seed_trains_the_same_model(town, home):
    train = ("mark", "train", "mykey", "--key", "owner.key", "--data", "data.npz", "--epochs", 2, *PASS)
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        assert run(*train, "--seed", seed, "--out", name, cwd=home).code == 0
    a, b, c = ((home / name).read_bytes() for name in "abc")
    assert a == b != c


def test_version_and_the_module_form():
    import subprocess
    import sys

    out = subprocess.run([sys.executable, "-m", "wmproto", "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"wmproto, version \d+\.\d+\.\d+\n", out.stdout)


@pytest.mark.parametrize(("extra", "args"), [
    ("torch", ("mark", "check", "k", "--key", "k", "--model", "m")),
    ("torch", ("mark", "train", "k", "--key", "k", "--data", "d", "--seed", "1", "--out", "n")),
    ("torch", ("dispute", "replay", "t", "--model", "m")),
    ("torch", dispute("t.json")),
    ("demo", ("demo", "--out", "d")),
])  # fmt: skip
def test_without_torch_each_command_names_the_extra(tmp_path, monkeypatch, extra, args):
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    result = run(*args, cwd=tmp_path)
    check_error(result, 2, f"this needs the extra '{extra}'")
    assert f"hint: pip install 'wmproto[{extra}]'" in result.err
    assert not list(tmp_path.iterdir())
