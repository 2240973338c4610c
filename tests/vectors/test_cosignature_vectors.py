"""specs/vectors/cosignature.json through wmproto.registry: verifier keys of witnesses, their lines, published notes."""

import pytest
from vectorfile import cases, check

from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.cosignature import WitnessKey, cosigned_message
from wmproto.registry.note import LogKey, Note, open_note


def on_vkey(_, case):
    key = WitnessKey.parse(case["vkey"])
    assert str(key) == case["vkey"]
    return {"name": key.name, "public": key.public.hex(), "key_id": key.key_id.hex()}


def times(note, key):
    """The times of a witness's lines, which all verify."""
    found = [int.from_bytes(raw[4:12], "big") for name, raw in note.lines if (name, raw[:4]) == (key.name, key.key_id)]
    assert note.signed_by(key) == bool(found)
    return found


def opened(group, case):
    data = case["note"].encode()
    verify_checkpoint(data, LogKey.parse(group["log"]))
    return Note.parse(data)


def on_cosignature(group, case):
    note, key = opened(group, case), WitnessKey.parse(group["witness"])
    return {
        "lines": [
            {"signed": cosigned_message(note.text, t).decode(), "time": t if t < 2**53 else str(t)}
            for t in times(note, key)
        ]
    }


def on_shared_name(group, case):
    return {"times": times(opened(group, case), WitnessKey.parse(group["witness"]))}


def on_published(_, case):
    return {"text": open_note(case["note"].encode(), LogKey.parse(case["vkey"]))}


HANDLERS = {
    "witness-vkey": on_vkey,
    "cosignature": on_cosignature,
    "shared-name": on_shared_name,
    "published-note": on_published,
}


@pytest.mark.parametrize(("handler", "group", "case"), cases("cosignature", HANDLERS))
def test_cosignature(handler, group, case):
    check(handler, group, case)
