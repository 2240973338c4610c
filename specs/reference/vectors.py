"""How vector files are put together: groups of cases, each judged by the reference before it is written down."""

import copy
import hashlib
import json

from encoding import Refused, canonical, parts


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


def document(name, notes, groups):
    """A whole vector file."""
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
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True) + "\n"


def patched(value, changes):
    """A copy with the fields at dotted paths set: {"predicate.N": 24}; None as a path's value is null."""
    out = copy.deepcopy(value)
    for path, new in changes.items():
        *inner, last = path.split(".")
        at = out
        for name in inner:
            at = at[int(name)] if isinstance(at, list) else at[name]
        if isinstance(at, list):
            at[int(last)] = new
        else:
            at[last] = new
    return out


def signed_json(signed):
    """An envelope as it stands in a vector file: the payload as JSON, not as base64 of its canonical bytes."""
    payload, signer, signature = parts(signed)
    value = json.loads(payload)
    if canonical(value) != payload:
        raise AssertionError("a payload that is not canonical must be written as text")
    return {"keyid": signer.hex(), "payload": value, "sig": signature.hex()}
