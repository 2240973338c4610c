"""specs/vectors/fork.json through wmproto.registry.fork: who is convicted, and who is not."""

import json

import pytest
from vectorfile import cases, check

from wmproto.registry.fork import FORK_LIMIT, verify_fork
from wmproto.registry.note import LogKey
from wmproto.wire.canonical import canonical_json


def data_of(group, case):
    if "evidence_hex" in case:
        return bytes.fromhex(case["evidence_hex"])
    return case["evidence"].encode() if "evidence" in case else canonical_json(group["base"] | case["set"])


def on_fork(group, case):
    data = data_of(group, case)
    found = verify_fork(data, LogKey.parse(group["vkey"]))
    assert found.root != found.older.root
    assert json.loads(data)["older"].startswith(found.older.text)
    return {"older": found.older.size, "newer": found.newer.size}


def on_size(group, case):
    data = case["evidence"].replace("<fill>", "a" * case["letters"]).encode()
    assert len(data) == FORK_LIMIT + 1
    return verify_fork(data, LogKey.parse(group["vkey"]))


HANDLERS = {"fork": on_fork, "fork-size": on_size}


@pytest.mark.parametrize(("handler", "group", "case"), cases("fork", HANDLERS))
def test_fork(handler, group, case):
    check(handler, group, case)
