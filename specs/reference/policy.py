"""Policies: whom a reader trusts about logs (specs/registry.md; c2sp.org/tlog-policy)."""

import cosignature
import ed25519
import registry
from encoding import Refused, need, sha256

LIMIT = 64 << 10
ALLOWED = {9, 10, *range(0x20, 0x7F), *range(0x80, 0x100)}
MOST = 63


def words(data):
    """The words of each line that means something, as bytes."""
    form = data.endswith(b"\n") and len(data) <= LIMIT and set(data) <= ALLOWED
    need(form, "FormatError", why="no last newline, too large, or a byte that no policy may hold")
    for one in data[:-1].split(b"\n"):
        found = [word for word in one.replace(b"\t", b" ").split(b" ") if word]
        if found and not found[0].startswith(b"#"):
            yield found


def key(parse, word):
    """A vkey, whose name must be UTF-8: names of keys are not opaque."""
    try:
        return parse(word.decode())
    except UnicodeDecodeError:
        raise Refused("FormatError", why="a vkey that is not UTF-8") from None


def threshold(word, n):
    if word in (b"any", b"all"):
        return 1 if word == b"any" else n
    k = registry.decimal(word.decode("latin-1"))
    need(1 <= k <= n, "FormatError", why="a number that is not from 1 to the count of members")
    return k


class Policy:
    """logs: {vkey's name: (public key, URL)}; witnesses: {name: (key, URL)}; groups: {name: (k, members)}."""

    def __init__(self, data):
        self.digest = sha256(data).hex()
        self.logs, self.witnesses, self.groups, self.quorum = {}, {}, {}, None
        self._keys, self._members = set(), set()
        forms = {b"log": self._log, b"witness": self._witness, b"group": self._group, b"quorum": self._quorum}
        for word, *rest in words(data):
            need(word in forms, "FormatError", why="a line of no known form")
            forms[word](*rest)
        need(self.quorum is not None, "FormatError", why="no quorum")
        for kind in (self.logs, self.witnesses, self.groups):
            need(len(kind) <= MOST, "FormatError", why="too many of a kind")

    def _new_key(self, public):
        need(public not in self._keys, "FormatError", why="a public key that stands there already")
        self._keys.add(public)

    def _new_name(self, name):
        new = name != b"none" and name not in self.witnesses and name not in self.groups
        need(new, "FormatError", why="a name that is taken")

    def _log(self, *rest):
        need(1 <= len(rest) <= 2, "FormatError", why="a log's line")
        name, public = key(registry.parse_vkey, rest[0])
        self._new_key(public)
        need(name not in self.logs, "FormatError", why="a log's name that stands there already")
        self.logs[name] = public, b"".join(rest[1:])

    def _witness(self, *rest):
        need(2 <= len(rest) <= 3, "FormatError", why="a witness's line")
        self._new_name(rest[0])
        name, public = key(cosignature.parse_vkey, rest[1])
        self._new_key(public)
        self.witnesses[rest[0]] = (name, public), b"".join(rest[2:])

    def _group(self, *rest):
        need(len(rest) >= 3, "FormatError", why="a group's line")
        name, k, *members = rest
        self._new_name(name)
        for member in members:
            known = member in self.witnesses or member in self.groups
            need(known and member not in self._members, "FormatError", why="not above, or a member already")
            self._members.add(member)
        self.groups[name] = threshold(k, len(members)), members

    def _quorum(self, *rest):
        need(len(rest) == 1 and self.quorum is None, "FormatError", why="a quorum's line, or a second one")
        known = rest[0] == b"none" or rest[0] in self.witnesses or rest[0] in self.groups
        need(known, "FormatError", why="the quorum does not stand above")
        self.quorum = rest[0]

    def satisfied(self, names):
        """Do these witnesses, by their names in the file, satisfy the quorum?"""
        return self.quorum == b"none" or self._by(self.quorum, names)

    def _by(self, name, names):
        if name in self.witnesses:
            return name in names
        k, members = self.groups[name]
        return sum(self._by(member, names) for member in members) >= k

    def verify(self, note, strict):
        """{origin, size, root, times: {witness's name in the file: its times}} of a checkpoint that counts.

        Every line of a key of the policy must verify, also one of another log.
        """
        body, lines = cosignature.parse_note(note)
        origin = body.split("\n")[0]
        need(origin in self.logs, "TrustError", "reg-policy-6", "of no log of the policy")
        log = origin, self.logs[origin][0]
        signed = any(named == origin and data[:4] == registry.key_id(*log) for named, data in lines)
        need(signed, "TrustError", "reg-policy-6", "not signed by the log of the policy")
        size, root = registry.verify_checkpoint(note, log)
        known = {(name, registry.key_id(name, public)): public for name, (public, _) in self.logs.items()}
        for named, data in lines:
            public = known.get((named, data[:4]))
            if public is not None:
                ed25519.verify(public, body.encode(), data[4:])
        times = {name: cosignature.cosigned(note, witness) for name, (witness, _) in self.witnesses.items()}
        for (name, public), _ in self.witnesses.values():
            known[name, cosignature.key_id(name, public)] = public
        if strict:
            strangers = [named for named, data in lines if (named, data[:4]) not in known]
            need(not strangers, "TrustError", "reg-policy-7", "a line of a key that the policy does not know")
        times = {name: found for name, found in times.items() if found}
        need(self.satisfied(set(times)), "TrustError", "reg-policy-6", "no quorum")
        return {"origin": origin, "size": size, "root": root, "times": times}
