"""What a witness answers to a log (specs/registry.md; c2sp.org/tlog-witness, add-checkpoint)."""

import cosignature
import ed25519
import merkle
import registry
from encoding import Refused, b64, need, sha256

LIMIT = 72 << 10
PROOF_LINES = 63


def request(old, proof, note):
    return f"old {old}\n" + "".join(b64(h) + "\n" for h in proof) + "\n" + note


def parse_request(body):
    """(old size, proof, note, size, root): everything whose form the first check judges."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("FormatError", why="not UTF-8") from None
    head, gap, note = text.partition("\n\n")
    first, *proof = head.split("\n")
    need(gap and first.startswith("old ") and len(proof) <= PROOF_LINES, "FormatError", why="no old line, or too long")
    old, proof = registry.decimal(first[4:]), [registry.hash_line(line) for line in proof]
    lines = cosignature.parse_note(note)[0].split("\n")[:-1]
    need(len(lines) >= 3 and all(lines), "FormatError", why="not three lines, or an empty one")
    return old, proof, note, registry.decimal(lines[1]), registry.hash_line(lines[2])


class Witness:
    """Follows logs, and keeps of each the last checkpoint that it cosigned."""

    def __init__(self, name, seed, logs):
        """``logs``: (name, public key) of each log."""
        self.name, self.seed, self.logs, self.held = name, seed, dict(logs), {}

    def add_checkpoint(self, body, now):
        """(status, content type where it is fixed, body where it is fixed, the rule that was broken)"""
        if len(body) > LIMIT:
            return 413, "", "", "reg-witness-1"
        try:
            old, proof, note, size, root = parse_request(body)
        except Refused:
            return 400, "", "", "reg-witness-1"
        text = note[: note.rindex("\n\n") + 1]
        origin = text.split("\n")[0]
        if origin not in self.logs:
            return 404, "", "", "reg-witness-2"
        try:
            registry.open_note(note, (origin, self.logs[origin]))
        except Refused:
            return 403, "", "", "reg-witness-3"
        if old > size:
            return 400, "", "", "reg-witness-4"
        last_size, last_root, last_time = self.held.get(origin, (0, merkle.root([]), 1))
        if old != last_size:
            return 409, "text/x.tlog.size", f"{last_size}\n", "reg-witness-5"
        try:
            merkle.verify_consistency(old, size, last_root, root, proof)
        except Refused:
            return 422, "", "", "reg-witness-6"
        time = max(now, last_time)
        self.held[origin] = size, root, time
        return 200, "", cosignature.cosign(self.name, self.seed, time, text), ""

    def key(self):
        return self.name, ed25519.public(self.seed)


def checkpoint_path(origin):
    return "/" + sha256(origin.encode()).hex() + "/checkpoint"
