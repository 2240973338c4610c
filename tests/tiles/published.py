"""Logs and their files to test with: real ones, and what a log that cheats would serve, written word for word."""

from functools import cache
from hashlib import sha256

from log_samples import LOG, NAME, naive_root, signed

from wmproto.crypto.merkle import leaf_hash
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.entry import entry_bytes
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey
from wmproto.registry.writing import sign_note
from wmproto.wire.profile import WMPROTO_1

KEY = LogKey(NAME, LOG.public)


def grow(log, envelopes, kind="key"):
    """Append many signed objects under one checkpoint."""
    log.append_all([(kind, envelope) for envelope in envelopes])


def log_of(path, numbers, name=NAME, signer=LOG):
    """A new log with the statements of these numbers."""
    log = Log.create(path, name, signer)
    grow(log, [sample(n) for n in numbers])
    return log


@cache
def sample(n):
    return signed(n)


def objects(numbers):
    """(entry bytes, payload) of honest entries."""
    return [(entry_bytes(WMPROTO_1, "key", sample(n)), sample(n).payload) for n in numbers]


def head(leaves, size=None, root=None, signer=LOG, name=NAME):
    """A signed checkpoint of these leaf hashes, or of whatever a cheat wants to sign."""
    size = len(leaves) if size is None else size
    return sign_note(Checkpoint(name, size, naive_root(leaves) if root is None else root).text, name, signer)


def naive_files(entries, note=None):
    """Path -> bytes of the files of a log, by the words of c2sp.org/tlog-tiles; ``entries``: (bytes, payload)."""
    leaves = [leaf_hash(entry) for entry, _ in entries]
    files = {"checkpoint": head(leaves) if note is None else note}
    level, hashes = 0, leaves
    while hashes:
        for n in range(0, len(hashes), 256):
            files[naive_path(level, n // 256, len(hashes[n : n + 256]))] = b"".join(hashes[n : n + 256])
        hashes = [naive_root(hashes[n : n + 256]) for n in range(0, len(hashes) // 256 * 256, 256)]
        level += 1
    for n in range(0, len(entries), 256):
        part = entries[n : n + 256]
        path = naive_path("entries", n // 256, len(part))
        files[path] = b"".join(len(entry).to_bytes(2, "big") + entry for entry, _ in part)
    for _, payload in entries:
        if payload is not None:
            name = sha256(payload).hexdigest()
            files[f"statement/{name[:2]}/{name}"] = payload
    return files


def naive_path(level, n, width):
    digits = f"{n % 1000:03}"
    while n := n // 1000:
        digits = f"x{n % 1000:03}/{digits}"
    return f"tile/{level}/{digits}" + (f".p/{width}" if width < 256 else "")


def put(folder, files):
    """Write files, in the place of others."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def read(folder):
    """Every file of an export."""
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != ".lock"
    }
