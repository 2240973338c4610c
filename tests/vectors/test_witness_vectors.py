"""specs/vectors/witness.json through wmproto.registry.witness, each case a witness with a state of its own."""

from hashlib import sha256

import pytest
from vectorfile import cases, check

from wmproto.crypto.signer import Signer
from wmproto.registry.add_checkpoint import SIZE_TYPE
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.heads import Heads
from wmproto.registry.note import LogKey, Note
from wmproto.registry.witness import Witness

h = bytes.fromhex


def witness_of(group, folder, clock):
    key, logs = WitnessKey.parse(group["witness"]["vkey"]), [LogKey.parse(log) for log in group["logs"]]
    assert key.name == group["witness"]["name"]
    return Witness(Heads.create(folder / "state", key), Signer(h(group["witness"]["seed"])), logs, clock)


def body_of(case):
    if "body_hex" in case:
        return h(case["body_hex"])
    return case["body"].replace("<fill>", "a" * case.get("letters", 0)).encode()


def on_add_checkpoint(folder, group, case):
    now = [0]
    witness = witness_of(group, folder, lambda: now[0])
    for n, request in enumerate(group["history"][: case["before"]]):
        now[0] = group["time"] + n
        assert witness.add_checkpoint(request.encode()).status == 200
    now[0], body = case["now"], body_of(case)
    held = [witness.checkpoint(part) for part in map(origin_hash, group["logs"])]
    answer = witness.add_checkpoint(body)
    steps = {"status": answer.status}
    if answer.status == 200:
        steps["body"] = answer.body.decode()
        shown = witness.checkpoint(origin_hash(origin_of(body)))
        assert shown.status == 200
        assert shows(Note.parse(shown.body), Note.parse(body.partition(b"\n\n")[2]), answer.body, group)
        return steps
    assert case["breaks"].startswith("reg-witness-")
    assert held == [witness.checkpoint(part) for part in map(origin_hash, group["logs"])]
    assert witness.add_checkpoint(group["next"][case["before"]].encode()).status == 200
    if answer.status == 409:
        steps |= {"body": answer.body.decode(), "type": answer.content_type}
    else:
        assert answer.content_type != SIZE_TYPE
    return steps


def origin_of(body):
    return body.partition(b"\n\n")[2].split(b"\n")[0].decode()


def origin_hash(name):
    """Of a log's name or vkey."""
    return sha256(name.split("+")[0].encode()).hexdigest()


def shows(shown, sent, line, group):
    """Whether a witness shows what it was sent, with the log's line and its own new one, and no other (reg-witness-9)."""
    log = next(key for key in map(LogKey.parse, group["logs"]) if key.name == shown.text.split("\n")[0])
    key = WitnessKey.parse(group["witness"]["vkey"])
    both = [(log.name, log.key_id), (key.name, key.key_id)]
    own = Note.parse(b"x\n\n" + line).lines
    signed = shown.signed_by(log) and shown.signed_by(key)
    return (
        signed
        and shown.text == sent.text
        and [(n, raw[:4]) for n, raw in shown.lines] == both
        and own[0] in shown.lines
    )


def on_path(_folder, _group, case):
    return {"path": f"/{origin_hash(case['origin'])}/checkpoint"}


HANDLERS = {"add-checkpoint": on_add_checkpoint, "witness-path": on_path}


@pytest.mark.parametrize(("handler", "group", "case"), cases("witness", HANDLERS))
def test_witness(handler, group, case, tmp_path):
    check(lambda g, c: handler(tmp_path, g, c), group, case)
