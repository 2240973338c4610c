"""An opening proves input and label key of one leaf at once (specs/commitment.md, com-open-1 to 5)."""

from typing import Annotated

from pydantic import Field

from wmproto.commitment.leaf import inputs_hash, leaf_value
from wmproto.commitment.statement import VerifiedKey
from wmproto.crypto.merkle import verify_inclusion
from wmproto.errors import InclusionError, OpeningError
from wmproto.wire.schema import B64, Hex32, Uint, Wire


class Opening(Wire):
    """What the owner shows of a leaf.

    Attributes:
        aux: Empty in label mode U.
        index: Which leaf.
        inputs: The q inputs, raw bytes.
        k: The leaf key.
        path: Inclusion proof in the key's tree.
    """

    aux: B64
    index: Uint
    inputs: Annotated[tuple[B64, ...], Field(max_length=64)]
    k: Hex32
    path: Annotated[tuple[Hex32, ...], Field(max_length=16)]


def verify_opening(opening: Opening, *, key: VerifiedKey, asked: bytes) -> None:
    """Check that an opening belongs to the key and shows the inputs that were asked.

    Args:
        opening: The opening.
        key: The verified key.
        asked: SHA-256(inputs_i) as it stood in the ask, 32 bytes.

    Raises:
        OpeningError: Wrong number or size of inputs, other inputs than asked, aux where there is none, or the leaf is
            not in the key's tree at that index.
    """
    z = key.z
    if len(opening.inputs) != z.q or any(len(x) != z.input.size_bytes for x in opening.inputs):
        raise OpeningError(f"leaf {opening.index}: inputs of another number or size", rule="com-open-1")
    if opening.aux:
        raise OpeningError(f"leaf {opening.index}: label mode U has no aux", rule="com-open-2")
    hashed = inputs_hash(opening.inputs)
    if hashed != asked:
        raise OpeningError(f"leaf {opening.index}: other inputs than asked", rule="com-open-3")
    leaf = leaf_value(key.profile, z.keyctx, opening.index, opening.k, hashed, opening.aux)
    try:
        verify_inclusion(leaf, index=opening.index, size=z.N, path=opening.path, root=z.R)
    except InclusionError as err:
        raise OpeningError(f"leaf {opening.index}: not in the key's tree", rule="com-open-4") from err
