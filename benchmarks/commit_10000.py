"""Commit to 10,000 noise leaves of 32x32x3: a module of its own, so that a process can load this and nothing else."""

from wmproto.commitment.builder import Commitment
from wmproto.commitment.statement import InputSpec
from wmproto.triggers.noise import noise_input
from wmproto.wire.profile import WMPROTO_1


def work() -> None:
    Commitment(
        profile=WMPROTO_1,
        master=bytes(32),
        keyctx=bytes(32),
        count=10000,
        spec=InputSpec(dtype="uint8", kind="image", shape=(32, 32, 3)),
        source=lambda _i, seed: noise_input(WMPROTO_1, seed, (32, 32, 3)),
    )
