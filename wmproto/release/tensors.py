"""The tensors of a model and h_f, the digest that a dispute, a release and a defence all speak of (specs/release.md).

The digest is over names, dtypes, shapes and raw bytes, not over the file: saving the same tensors again gives the same
h_f. Nothing here needs numpy or torch, and nothing is ever unpickled.

Promises: what is accepted is exactly the set of tensors that the architecture uses, each F32 of the right shape, from
a file that two parsers read alike. Leaves to others: whether the numbers are any good (NaN is a legal weight).

Source: design "wmproto/1", section 8.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import prod

from safetensors import SafetensorError, deserialize

from wmproto.crypto.merkle import tree_root
from wmproto.errors import FormatError
from wmproto.release.architecture import Architecture, architecture_bytes
from wmproto.wire.canonical import parse_json
from wmproto.wire.framing import frame
from wmproto.wire.profile import WMPROTO_1, Profile

__all__ = ["HEADER_LIMIT", "WEIGHTS_LIMIT", "TensorDigest", "model_digest", "read_tensors", "tensor_root"]

#: Largest header in bytes: names and shapes of a model of 2**28 weights, and its architecture, need far less.
HEADER_LIMIT = 4 << 20
#: Largest file in bytes: the architecture's cap of 2**28 weights, and a header.
WEIGHTS_LIMIT = (1 << 30) + HEADER_LIMIT + 8
_HINT = "save the weights with safetensors (safetensors.torch.save_file); pickles are never read"


@dataclass(frozen=True, slots=True)
class TensorDigest:
    """One tensor as it enters h_f.

    Attributes:
        name: As in the architecture's ``tensors``.
        dtype: safetensors' name, ``F32``.
        shape: Dimensions, each at least 1.
        digest: Leaf of the tensor tree, 32 bytes: SHA-256(0x00 || frame(tag, name, dtype, frame(*shape), raw bytes)).
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    digest: bytes


def _leaf(profile: Profile, name: str, dtype: str, shape: Sequence[int], raw: bytes | bytearray) -> bytes:
    h = sha256(b"\x00" + frame(profile.tag("tensor"), name, dtype, frame(*shape)) + len(raw).to_bytes(8, "big"))
    h.update(raw)  # the last field, without a copy
    return h.digest()


def _check_header(data: bytes) -> None:
    """Refuse what another reader of the header might read otherwise: duplicate names, floats, surrogates."""
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(len(data) - 8, HEADER_LIMIT):
        raise FormatError("weights: not a safetensors file", hint=_HINT)
    try:
        header = parse_json(data[8 : 8 + size], what="weights: header", limit=HEADER_LIMIT)
    except FormatError as err:
        raise FormatError(str(err), hint=_HINT) from err
    if not isinstance(header, dict):
        raise FormatError("weights: the header is not a JSON object", hint=_HINT)


def read_tensors(data: bytes, architecture: Architecture, *, profile: Profile = WMPROTO_1) -> tuple[TensorDigest, ...]:
    """Read a safetensors file that must hold exactly the tensors that the architecture uses.

    Args:
        data: The whole file, at most WEIGHTS_LIMIT bytes. Its free-form metadata changes no answer and is ignored.
        architecture: Names and shapes.
        profile: Whose tag the leaves carry.

    Returns:
        The tensors' digests, names in byte order.

    Raises:
        FormatError: Not such a file, or a tensor is missing, unknown, not F32 or of another shape; it is named.

    Time: 0.5 s a gigabyte and a copy of the file in memory.
    """
    if len(data) > WEIGHTS_LIMIT:
        raise FormatError(f"weights: {len(data)} bytes are more than the {WEIGHTS_LIMIT} allowed")
    _check_header(data)
    try:
        found = dict(deserialize(data))  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, OverflowError) as err:
        raise FormatError("weights: not a safetensors file", hint=_HINT) from err
    digests = []
    for name, shape in architecture.tensors.items():
        entry = found.pop(name, None)
        if entry is None:
            raise FormatError(f"weights: tensor {name!r} is missing", hint="names are those of torch.nn.Sequential")
        dtype, got, raw = entry["dtype"], tuple(entry["shape"]), entry["data"]
        if dtype != "F32":
            raise FormatError(f"weights: tensor {name!r} is {dtype}, not F32", hint="cast the model to float32 first")
        if got != shape or len(raw) != 4 * prod(shape):
            raise FormatError(
                f"weights: tensor {name!r} has shape {list(got)}, the architecture says {list(shape)}",
                hint="these are the weights of another architecture",
            )
        digests.append(TensorDigest(name, dtype, shape, _leaf(profile, name, dtype, shape, raw)))
    if found:
        extra = min(found)
        raise FormatError(f"weights: tensor {extra[:128]!r} is not used by the architecture", hint="leave it out")
    return tuple(digests)


def tensor_root(tensors: Sequence[TensorDigest]) -> bytes:
    """RFC 6962 root over the tensors' leaves, 32 bytes.

    Raises:
        FormatError: The names are not in byte order, or repeat.
    """
    names = [t.name.encode() for t in tensors]
    if names != sorted(set(names)):
        raise FormatError("tensor names are not in byte order, or repeat")
    return tree_root([t.digest for t in tensors])


def model_digest(architecture: Architecture, tensors: Sequence[TensorDigest], *, profile: Profile = WMPROTO_1) -> bytes:
    """h_f = H("model", tensor root, architecture), 32 bytes.

    Args:
        architecture: The checked architecture.
        tensors: Exactly its tensors, in byte order of their names: from read_tensors, or out of a release.
        profile: Whose tag it carries.

    Raises:
        FormatError: The list is not that of the architecture's tensors.
    """
    if [(t.name, t.dtype, t.shape) for t in tensors] != [(n, "F32", s) for n, s in architecture.tensors.items()]:
        raise FormatError("the tensors are not those that the architecture uses")
    return profile.hash("model", tensor_root(tensors), architecture_bytes(architecture))
