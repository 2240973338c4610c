"""How vector files are put together: groups of cases, each judged by the reference before it is written down."""

import copy
import hashlib
import json
import operator

import ed25519
from encoding import Refused, b64, canonical, parts


def seed(name):
    """32 bytes that anybody can make again."""
    return hashlib.sha256(f"wmproto vectors: {name}".encode()).digest()


class Group:
    """Cases of one kind. ``common`` is what they share."""

    def __init__(self, kind, comment, **common):
        self.kind, self.comment, self.common, self.tests = kind, comment, common, []

    def add(self, comment, check, expect="ok", flags=(), rule=None, **inputs):
        """``check()`` returns the intermediate values, or refuses; it must do what is expected of it."""
        try:
            got, found_rule, steps = "ok", "", check()
        except Refused as refused:
            got, found_rule, steps = refused.error, refused.rule, {}
        number = f"{self.kind}-{len(self.tests) + 1:03}"
        if got != expect or (rule is not None and rule != found_rule):
            raise AssertionError(f"{number} {comment}: expected {expect} {rule}, the reference says {got} {found_rule}")
        case = {"comment": comment, "expect": got, "flags": list(flags), "id": number, "rule": found_rule}
        self.tests.append(case | inputs | {"steps": steps or {}})

    def as_json(self):
        return {"comment": self.comment, "kind": self.kind, "tests": self.tests} | self.common


def accumulated(kind, comment, digest, **inputs):
    """One case that stands for a whole domain."""
    g = Group(kind, comment)
    g.add("accumulated", lambda: {"digest": digest.hexdigest()}, **inputs)
    return g


WIDTH = 118


def pretty(value, indent=0):
    """JSON with sorted fields, one line for whatever fits into one, and several scalars a line."""
    short = json.dumps(value, sort_keys=True)
    if indent + len(short) <= WIDTH or not isinstance(value, list | dict) or not value:
        return short
    pad = " " * (indent + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(k)}: {pretty(value[k], indent + 1)}" for k in sorted(value)]
        return "{\n" + ",\n".join(pad + item for item in items) + "\n" + " " * indent + "}"
    if any(isinstance(v, list | dict) for v in value):
        return "[\n" + ",\n".join(pad + pretty(v, indent + 1) for v in value) + "\n" + " " * indent + "]"
    lines, now = [], pad
    for v in value:
        item = json.dumps(v) + ", "
        if now != pad and len(now) + len(item) > WIDTH:
            lines.append(now.rstrip())
            now = pad
        now += item
    return "[\n" + "\n".join([*lines, now.removesuffix(", ")]) + "\n" + " " * indent + "]"


def document(name, notes, groups, **shared):
    """A whole vector file; ``shared`` is what all groups share."""
    used = {flag for g in groups for t in g.tests for flag in t["flags"]}
    if used != set(notes):
        raise AssertionError(f"{name}: flags without a note or notes without a case: {used ^ set(notes)}")
    value = {
        "groups": [g.as_json() for g in groups],
        "n_tests": sum(len(g.tests) for g in groups),
        "notes": {flag: {"bug": bug, "effect": effect} for flag, (bug, effect) in notes.items()},
        "source": f"specs/reference/cases_{name}.py",
        "spec": f"wmproto/{name}@v1",
    }
    return pretty(value | shared) + "\n"


def patched(value, changes):
    """A copy with the fields at dotted paths set: {"predicate.N": 24}.

    {"take": [...]} makes a list out of the old one: an integer n stands for its element n, else the element itself.
    """
    out = copy.deepcopy(value)
    for path, new in changes.items():
        *inner, last = path.split(".")
        at = out
        for name in inner:
            at = at[int(name)] if isinstance(at, list) else at[name]
        last = int(last) if isinstance(at, list) else last
        if isinstance(new, dict) and set(new) == {"take"}:
            new = [at[last][n] if isinstance(n, int) else n for n in new["take"]]
        at[last] = new
    return out


MISSING = object()


def difference(old, new, path=""):
    """The paths that ``patched`` needs to make ``new`` out of ``old``; the empty path if they are of another form."""
    if type(old) is type(new) and old == new:
        return {}
    if isinstance(old, dict) and isinstance(new, dict) and set(old) <= set(new) and "payloadType" not in old:
        pairs = [(name, old.get(name, MISSING), new[name]) for name in new]
    elif not isinstance(old, list) or not isinstance(new, list):
        return {path: new}
    elif len(old) == len(new) and sum(map(operator.ne, old, new)) < 9:
        pairs = [(str(i), old[i], new[i]) for i in range(len(old))]
    elif all(isinstance(v, dict) for v in old + new):
        return {path: {"take": [old.index(v) if v in old else v for v in new]}}
    else:
        return {path: new}
    out = {}
    for name, a, b in pairs:
        out |= difference(a, b, f"{path}.{name}" if path else name)
    return out


class Pool:
    """Signed objects and texts by name, each written down once; one that is like another says how it differs."""

    def __init__(self, **parties):
        """``parties``: who signs, by name, with the seeds that they sign with."""
        self.objects, self.texts, self._names, self._payloads = {}, {}, {}, {}
        self.parties = {name: {"public": ed25519.public(s).hex(), "seed": s.hex()} for name, s in parties.items()}

    def text(self, text):
        """The name of a text; a receipt is its own lines, ``and`` a checkpoint that others share."""
        if text not in self._names:
            head, gap, note = text.partition("\n\n")
            is_receipt = head.startswith("c2sp.org/tlog-proof") and note
            value = {"and": self.text(note), "text": head + gap} if is_receipt else text
            self._names[text] = f"text-{len(self.texts)}"
            self.texts[self._names[text]] = value
        return self._names[text]

    def signed(self, signed):
        seen = canonical(signed)
        if seen not in self._names:
            self._names[seen] = self._add(*parts(signed))
        return self._names[seen]

    def _add(self, payload, signer, signature):
        by = next(name for name, party in self.parties.items() if party["public"] == signer.hex())
        one = {"by": by, "sig": b64(signature)}
        value = json.loads(payload)
        kind = value["predicateType"].split(":")[2].split("/")[0]
        name = f"{kind}-{sum(n.startswith(kind + '-') for n in self.objects)}"
        best = {"payload": self._referring(value)}
        for other, there in self._payloads.items():
            change = difference(there, value) if other.startswith(kind + "-") else {"": value}
            if "" not in change:
                short = {"like": other, "set": {path: self._named(new) for path, new in change.items()}}
                best = min(best, short, key=lambda b: len(json.dumps(b)))
        self._payloads[name] = value
        if canonical(value) != payload:
            if canonical(value).replace(b",", b", ", 1) != payload:
                raise AssertionError("not canonical in another way than a space after the first comma")
            one["space"] = True
        self.objects[name] = one | best
        return name

    def _named(self, value):
        """A signed object inside another: by its name."""
        known = isinstance(value, dict) and "payloadType" in value
        return {"object": self.signed(value)} if known else value

    def _referring(self, value):
        if "file" not in value["predicate"]:
            return value
        return value | {"predicate": value["predicate"] | {"file": self._named(value["predicate"]["file"])}}
