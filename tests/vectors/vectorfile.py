"""Reading specs/vectors: every case of every group goes to the handler of its kind; nothing is passed over."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wmproto import errors
from wmproto.errors import VerificationError
from wmproto.wire.canonical import canonical_json
from wmproto.wire.compose import compose_envelope
from wmproto.wire.dsse import Envelope

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "specs" / "vectors"
CASE = {"comment", "expect", "flags", "id", "rule", "steps"}

Case = dict[str, Any]
#: handler(group, case) -> what must equal the case's ``steps``
Handler = Callable[[Case, Case], Any]


def cases(
    name: str, handlers: dict[str, Handler], shared: set[str] | None = None, broken: dict[str, str] | None = None
) -> Any:
    """pytest parameters (handler, group, case) of a vector file; refuses a file that holds what nobody checks.

    ``shared``: what else stands at the top of the file. ``broken``: id -> why the package does not do it yet; as soon
    as it does, the test fails and the line goes.
    """
    file = json.loads((VECTORS / f"{name}.json").read_text(encoding="ascii"))
    assert set(file) == {"groups", "n_tests", "notes", "source", "spec"} | (shared or set())
    assert file["spec"] == f"wmproto/{name}@v1"
    assert (ROOT / file["source"]).is_file()
    kinds = [group["kind"] for group in file["groups"]]
    assert sorted(kinds) == sorted(handlers), "a group that is not tested here, or one that is gone"
    tests = [(group, case) for group in file["groups"] for case in group["tests"]]
    assert len(tests) == file["n_tests"]
    assert len({case["id"] for _, case in tests}) == len(tests)
    for note in file["notes"].values():
        assert set(note) == {"bug", "effect"}
    for _, case in tests:
        assert set(case) >= CASE
        assert set(case["flags"]) <= set(file["notes"]), f"{case['id']}: a flag without a note"
        assert case["expect"] == "ok" or issubclass(getattr(errors, case["expect"]), errors.WmprotoError)
        assert case["expect"] == "ok" or case["flags"], f"{case['id']}: refused, and no flag says why"
    assert {flag for _, case in tests for flag in case["flags"]} == set(file["notes"])
    broken = broken or {}
    assert set(broken) <= {case["id"] for _, case in tests}
    marks = {name: [pytest.mark.xfail(reason=why, strict=True)] for name, why in broken.items()}
    return [
        pytest.param(handlers[group["kind"]], group, case, id=case["id"], marks=marks.get(case["id"], []))
        for group, case in tests
    ]


def check(handler: Handler, group: Case, case: Case) -> None:
    """Run one case: the very error class and rule, or every intermediate value."""
    if case["expect"] == "ok":
        assert handler(group, case) == case["steps"]
        return
    with pytest.raises(errors.WmprotoError) as caught:
        handler(group, case)
    assert type(caught.value).__name__ == case["expect"], caught.value
    if isinstance(caught.value, VerificationError):
        assert caught.value.rule == case["rule"]
    else:
        assert case["rule"] == ""


def patched(value: Any, changes: dict[str, Any]) -> Any:
    """A copy with the fields at dotted paths set; {"take": [...]} makes a list out of the old one's elements."""
    out = copy.deepcopy(value)
    for path, new in changes.items():
        *inner, last = path.split(".")
        at = out
        for name in inner:
            at = at[int(name)] if isinstance(at, list) else at[name]
        key = int(last) if isinstance(at, list) else last
        if isinstance(new, dict) and set(new) == {"take"}:
            new = [at[key][n] if isinstance(n, int) else n for n in new["take"]]
        at[key] = new
    return out


def envelope(signed: Case) -> Envelope:
    """A signed object of a vector file, whose payload stands there as JSON."""
    return compose_envelope(
        canonical_json(signed["payload"]), bytes.fromhex(signed["keyid"]), bytes.fromhex(signed["sig"])
    )
