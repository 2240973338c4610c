"""What must hold of a folder after whatever has happened to a command in it."""

from __future__ import annotations

import json
from pathlib import Path

from town import PASS, PASSPHRASE, dispute, run

from wmproto.crypto.secretfile import open_secret
from wmproto.dispute.transcript import Transcript
from wmproto.errors import NotFoundError
from wmproto.models import Savepoint
from wmproto.owner import KeyFolder
from wmproto.registry.entry import entry_leaf
from wmproto.registry.log import Log
from wmproto.registry.receipt import verify_receipt
from wmproto.release.modelfile import read_model
from wmproto.wire.dsse import Envelope
from wmproto.wire.profile import WMPROTO_1

COMMIT = (
    "commit",
    "create",
    "new",
    "--key",
    "owner.key",
    "--leaves",
    16,
    "--classes",
    "a,b",
    "--pictures",
    "own.npz",
    *PASS,
)
SUBMIT = (
    "registry",
    "submit",
    "registry.db",
    "fresh/statement.json",
    "--key",
    "log.key",
    "--receipt",
    "new.proof",
    *PASS,
)
TRAIN = ("mark", "train", "mykey", "--key", "owner.key", "--data", "data.npz", "--seed", 1, "--out", "new.model", *PASS)  # fmt: skip
DISPUTE = dispute("new.json", model="stranger.safetensors", count=32)
NEW_KEY = ("key", "new", "new.key", "--role", "owner", *PASS)
NEW_LOG = ("registry", "new", "new.db", "--origin", "new.example/1", "--key", "new-log.key", *PASS)


def entries(home: Path, kind: str | None = None, database: str = "registry.db") -> int:
    """Number of entries of a log, which is checked when it is opened, and once more in full."""
    log = Log.open(home / database)
    try:
        log.export(home.parent / "checked-copy.jsonl")
        (home.parent / "checked-copy.jsonl").unlink()
        return len(log.entries(kind))
    finally:
        log.close()


def check_receipt(home: Path, statement: str, receipt: str, kind: str = "key") -> bool:
    """Whether there is a receipt; if there is, it holds, and the log knows the entry."""
    if not (home / receipt).exists():
        return False
    leaf = entry_leaf(WMPROTO_1, kind, Envelope.parse((home / statement).read_bytes(), what=statement))
    log = Log.open(home / "registry.db")
    try:
        found = verify_receipt((home / receipt).read_bytes(), leaf, log.key)
        assert log.find(leaf) == found.index, "an acknowledged entry is lost"
    finally:
        log.close()
    return True


def in_log(home: Path, statement: str, kind: str = "key") -> bool:
    """Whether the log has the entry."""
    leaf = entry_leaf(WMPROTO_1, kind, Envelope.parse((home / statement).read_bytes(), what=statement))
    log = Log.open(home / "registry.db")
    try:
        log.find(leaf)
    except NotFoundError:
        return False
    finally:
        log.close()
    return True


def steps(home: Path, name: str = "new.json") -> int:
    """Steps of a transcript, 0 if there is none; whatever is there is a dispute in progress without false evidence."""
    if not (home / name).exists():
        return 0
    found = len(Transcript.parse((home / name).read_bytes()).steps)
    audited = run("dispute", "audit", name, cwd=home)
    assert audited.code == 15, audited.err
    return found


def check_whole(home: Path) -> None:
    """Whatever has a name is whole: keys open, the log is consistent, folders and models are complete."""
    for path in home.glob("*.key"):
        open_secret(path.read_bytes(), PASSPHRASE.encode())
    owner = open_secret((home / "owner.key").read_bytes(), PASSPHRASE.encode())
    for database in home.glob("*.db"):
        entries(home, database=database.name)
    for statement in home.glob("*/statement.json"):
        folder = KeyFolder(statement.parent, profile=WMPROTO_1)
        assert folder.commitment(owner).root == folder.key().z.R
        assert folder.key().z.keyctx in owner.contexts, "a context is remembered before it is used (hole R13)"
    steps(home)
    check_receipt(home, "fresh/statement.json", "new.proof")
    if (home / "new.model").exists():
        read_model((home / "new.model").read_bytes())
    for path in home.glob("*.savepoint"):
        assert Savepoint(path, {}).done() >= 1
    for path in home.glob("*.json"):
        json.loads(path.read_bytes())


def leftovers(home: Path) -> list[str]:
    """Temporary names, which nothing reads."""
    return [str(p.relative_to(home)) for p in home.rglob("*.tmp")]
