"""Keys whose labels are born without a log: what the benchmarks draw again and again from fixed bytes."""

from wmproto.commitment.builder import Commitment, InputSource, commit, key_payload
from wmproto.commitment.labels import Labels
from wmproto.commitment.statement import InputSpec, verify_key
from wmproto.crypto.signer import Signer
from wmproto.wire.profile import WMPROTO_1


def born(
    owner: Signer, *, master: bytes, keyctx: bytes, count: int, shape: tuple[int, int, int], source: InputSource
) -> tuple[Commitment, Labels]:
    """Leaves over pictures of that shape in ten classes, and their labels."""
    spec = InputSpec(dtype="uint8", kind="image", shape=shape)
    leaves = Commitment(profile=WMPROTO_1, master=master, keyctx=keyctx, count=count, spec=spec, source=source)
    names = [str(c) for c in range(10)]
    z = commit(leaves, profile=WMPROTO_1, keyctx=keyctx, spec=spec, classes=names, owner=owner.public)
    return leaves, Labels(verify_key(owner.envelope(key_payload(z, WMPROTO_1)), profile=WMPROTO_1))
