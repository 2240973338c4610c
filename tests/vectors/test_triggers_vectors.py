"""specs/vectors/triggers.json through wmproto.triggers."""

import hashlib

import pytest
from vectorfile import cases, check

from wmproto.commitment.secrets import input_seed
from wmproto.triggers.noise import noise_input
from wmproto.wire.profile import WMPROTO_1

h = bytes.fromhex


def on_noise(group, case):
    seed = input_seed(WMPROTO_1, h(group["master"]), h(group["keyctx"]), case["index"])
    out = noise_input(WMPROTO_1, seed, tuple(case["shape"]))
    shown = {"out": out.hex()} if len(out) < 1000 else {"sha256": hashlib.sha256(out).hexdigest()}
    return {"seed": seed.hex()} | shown


def on_every(_, case):
    digest = hashlib.sha256()
    for height in range(1, 6):
        for width in range(1, 6):
            for channels in range(1, 5):
                digest.update(noise_input(WMPROTO_1, bytes(32), (height, width, channels)))
    return {"digest": digest.hexdigest()}


HANDLERS = {"noise": on_noise, "noise-accumulated": on_every}


@pytest.mark.parametrize(("handler", "group", "case"), cases("triggers", HANDLERS))
def test_triggers(handler, group, case):
    check(handler, group, case)
