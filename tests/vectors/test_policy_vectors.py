"""specs/vectors/policy.json through wmproto.registry.policy: what a policy says, and what counts under it."""

import pytest
from test_cosignature_vectors import times
from vectorfile import cases, check

from wmproto.registry.note import Note
from wmproto.registry.policy import POLICY_LIMIT, LogPolicy
from wmproto.registry.receipt import verify_receipt

h = bytes.fromhex


def octets(name):
    """Names and URLs of a policy, one character a byte."""
    return name.encode("utf-8", "surrogateescape").decode("latin-1")


def on_policy(_, case):
    data = h(case["policy_hex"]) if "policy_hex" in case else case["policy"].encode()
    policy = LogPolicy.parse(data)
    witnesses = [
        {"name": octets(name), "url": octets(policy.urls.get(name, "")), "vkey": str(key)}
        for name, key in policy.witnesses.items()
    ]
    groups = [
        {"k": g.k, "members": [*map(octets, g.members)], "name": octets(name)} for name, g in policy.groups.items()
    ]
    return {
        "digest": policy.digest.hex(),
        "groups": groups,
        "logs": [{"url": octets(url), "vkey": str(key)} for key, url in policy.logs.items()],
        "quorum": octets(policy.quorum),
        "witnesses": witnesses,
    }


def on_limit(group, case):
    fill = "a" * case["letters"] if "letters" in case else "".join(group["lines"][case["kind"]][: case["count"]])
    data = case["policy"].replace("<fill>", fill).encode()
    assert case["expect"] != "ok" or "letters" not in case or len(data) == POLICY_LIMIT
    return {"digest": LogPolicy.parse(data).digest.hex()}


def on_satisfied(_, case):
    policy = LogPolicy.parse(case["policy"].encode())
    names = list(policy.witnesses)
    sets = [{name for i, name in enumerate(names) if n >> i & 1} for n in range(1 << len(names))]
    return {"satisfied": "".join(str(int(policy.satisfied(policy.quorum, signed))) for signed in sets)}


def counted(group, case, note):
    policy = LogPolicy.parse(group["policies"][case["policy"]].encode())
    checkpoint = policy.verify(note, strict=case["strict"])
    found = {name: times(Note.parse(note), key) for name, key in policy.witnesses.items()}
    return policy, checkpoint, {name: got for name, got in found.items() if got}


def on_checkpoint(group, case):
    _, checkpoint, found = counted(group, case, case["note"].encode())
    assert checkpoint.text == case["note"].split("\n\n")[0] + "\n"
    return {"origin": checkpoint.origin, "root": checkpoint.root.hex(), "size": checkpoint.size, "times": found}


def on_receipt(group, case):
    data = case["receipt"].encode()
    policy, checkpoint, found = counted(group, case, data.split(b"\n\n", 1)[1])
    receipt = verify_receipt(data, h(case["leaf"]), next(key for key in policy.logs if key.name == checkpoint.origin))
    assert receipt.checkpoint == checkpoint
    return {"index": receipt.index, "size": checkpoint.size, "times": found}


HANDLERS = {
    "policy": on_policy,
    "policy-limit": on_limit,
    "policy-satisfied": on_satisfied,
    "policy-checkpoint": on_checkpoint,
    "policy-receipt": on_receipt,
}


@pytest.mark.parametrize(("handler", "group", "case"), cases("policy", HANDLERS))
def test_policy(handler, group, case):
    check(handler, group, case)
