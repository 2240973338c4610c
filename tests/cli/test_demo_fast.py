"""``wmproto demo --fast``: the whole story in a process of its own, and its transcripts rechecked without torch."""

import base64
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from test_secrets import search
from town import run_process, snapshot

from wmproto.crypto.secretfile import open_secret
from wmproto.owner import KeyFolder
from wmproto.wire.profile import WMPROTO_1

VERDICTS = {
    "released": ("DEPENDENT", 0),
    "thief": ("DEPENDENT", 0),
    "stranger": ("NOT SHOWN", 10),
    "liar": ("NOT SHOWN", 10),
}
HEAVY = {"torch", "numpy", "sqlalchemy", "cryptography", "scipy", "mlxtend", "safetensors", "rich", "PIL"}
AUDIT = """
import sys
from wmproto.cli.main import entry
try:
    entry()
finally:
    print(" ".join(sorted({name.split(".")[0] for name in sys.modules})), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """(folder, what the demo said)."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, run_process("demo", "--fast", "--out", "out", cwd=folder, timeout=600)


@pytest.mark.slow
def test_the_demo_tells_its_story(story):
    folder, result = story
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert all(re.match(r"\[ *\d+\.\d s\] \S", line) for line in lines)
    for who, verdict in (("a copy of the release", "DEPENDENT"), ("the thief's model", "DEPENDENT")):
        assert any(f"dispute over {who}: {verdict}, " in line for line in lines)
    assert any("dispute over the stranger's model: NOT SHOWN, " in line for line in lines)
    assert any("by the paper's rules (adi2018): ACCEPTED" in line for line in lines)
    assert any("dispute over the liar's claim to the stranger's model: NOT SHOWN" in line for line in lines)
    assert any("audit of strong-thief.json" in line and "whatever the evidence gives" in line for line in lines)
    assert sum("as expected" in line for line in lines) == 4
    assert "NOT expected" not in result.out
    files = set(snapshot(folder / "out"))
    assert files >= {
        *("keys/owner.key", "keys/arbitrator.key", "keys/respondent.key", "keys/log.key", "keys/passphrase.txt"),
        *("keys/marks/statement.json", "keys/marks/activation.json", "keys/marks.tlog-proof", "keys/lie.tlog-proof"),
        *(f"models/{name}.safetensors" for name in ("twin", "released", "thief", "strong-thief", "stranger")),
        *(f"disputes/{name}.json" for name in VERDICTS),
        *("registry.db", "release.json", "trust.json", "log-copy.jsonl", "liar-adi2018.json", "report.html"),
    }
    assert not [name for name in files if name.endswith((".tmp", "-wal", "-shm"))]


@pytest.mark.slow
@pytest.mark.parametrize("name", VERDICTS)
def test_each_transcript_is_rechecked_without_torch_numpy_or_a_database(story, name):
    folder, _ = story
    verdict, code = VERDICTS[name]
    args = [
        "dispute",
        "audit",
        f"disputes/{name}.json",
        "--trust",
        "trust.json",
        "--log-copy",
        "log-copy.jsonl",
        "--json",
    ]
    found = subprocess.run([sys.executable, "-c", AUDIT, *args], cwd=folder / "out", capture_output=True, text=True)
    assert found.returncode == code, found.stderr
    audited = json.loads(found.stdout)
    assert (audited["verdict"], audited["findings"], audited["problems"]) == (verdict, [], [])
    assert audited["log_size"] in (11, 13)  # the stronger thief finds leaves left, or not
    loaded = set(found.stderr.split())
    assert {"wmproto", "nacl", "pydantic"} <= loaded
    assert not loaded & HEAVY


@pytest.mark.slow
def test_the_demo_makes_everything_that_its_keys_can_open_again(story):
    folder, _ = story
    out = folder / "out"
    check = ("mark", "check", "keys/marks", "--key", "keys/owner.key", "--model", "models/released.safetensors")
    result = run_process(*check, "--passphrase-file", "keys/passphrase.txt", "--json", cwd=out)
    assert (result.code, result.err) == (0, "")
    kept = result.json()
    assert 10 * kept["hits"] >= 9 * kept["marked"]
    assert run_process("release", "verify", "release.json", "--model", "models/released.safetensors", cwd=out).code == 0


@pytest.mark.slow
def test_pictures_of_ones_own(tmp_path):
    """Fewer pictures, trained on for longer: the same story ends as expected."""
    digits = load_digits()
    x = np.kron(digits.images * 15.9375, np.ones((2, 2))).astype(np.uint8)[..., None]
    np.savez(tmp_path / "mine.npz", x=x, y=digits.target)
    result = run_process("demo", "--fast", "--data", "mine.npz", "--out", "out", cwd=tmp_path, timeout=600)
    assert (result.code, result.err) == (0, "")
    assert "real pictures: 524 for each of owner, thief and stranger; 224 for tests" in result.out
    np.savez(tmp_path / "few.npz", x=x[:900], y=digits.target[:900])
    refused = run_process("demo", "--fast", "--data", "few.npz", "--out", "other", cwd=tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "wmproto: error: 900 pictures are too few\nhint: at least 1200 are needed\n"
    assert not (tmp_path / "other").exists()
    np.savez(tmp_path / "two.npz", x=x, y=digits.target % 2)
    two = run_process("demo", "--fast", "--data", "two.npz", "--out", "other", cwd=tmp_path)
    assert (two.code, two.out) == (2, "")
    assert "pictures of 2 classes are too few for the story" in two.err


@pytest.mark.slow
def test_the_demo_wrote_and_said_no_secret(story):
    """Seeds, master secrets, and what belongs to leaves that nobody asked; its own passphrase file and sealed keys aside."""
    folder, result = story
    out = folder / "out"
    passphrase = (out / "keys" / "passphrase.txt").read_bytes().strip()
    hidden, shown = {"passphrase": passphrase}, {}
    for name in ("owner", "liar", "arbitrator", "respondent", "log"):
        secret = open_secret((out / "keys" / f"{name}.key").read_bytes(), passphrase)
        hidden[f"seed of {name}"] = secret.seed
        if secret.master is not None:
            hidden[f"master secret of {name}"] = secret.master
        if name == "owner":
            owner = secret
    asked = [
        leaf["index"]
        for name in ("released", "thief", "stranger", "strong-thief")
        if (path := out / "disputes" / f"{name}.json").exists()
        for step in json.loads(path.read_bytes())["steps"]
        for leaf in json.loads(base64.b64decode(step["message"]["payload"]))["predicate"].get("leaves", ())
    ]
    leaves = KeyFolder(out / "keys" / "marks", profile=WMPROTO_1).commitment(owner)
    for i in range(leaves.count):
        (shown if i in asked else hidden)[f"key of leaf {i}"] = leaves.leaf_key(i)
    assert shown, "some leaves were opened"
    written = {n: data for n, (_, data) in snapshot(out).items() if not n.endswith((".key", "passphrase.txt"))}
    assert {"report.html", "disputes/liar.json", "registry.db"} <= set(written)
    everything = b"\n\n".join([*written.values(), result.out.encode()])
    assert search(everything, hidden) == []
    assert len(search(everything, shown)) == len(shown), "the search finds what openings show"
