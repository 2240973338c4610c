"""A model in one file: safetensors whose metadata carries the architecture (specs/release.md, rel-file-1).

The metadata is convenient, not trusted: h_f covers the architecture, so another one is another model.
"""

from __future__ import annotations

from dataclasses import dataclass

from wmproto.errors import FormatError, UnsupportedError
from wmproto.release.architecture import Architecture, parse_architecture, parse_architecture_bytes
from wmproto.release.record import Release, TensorEntry
from wmproto.release.tensors import HEADER_LIMIT, TensorDigest, model_digest, read_tensors
from wmproto.wire.canonical import parse_json
from wmproto.wire.framing import sha256
from wmproto.wire.profile import WMPROTO_1, Profile

#: Name of the safetensors metadata entry that holds the architecture's canonical JSON.
ARCHITECTURE_KEY = "wmproto.architecture"
#: The same of an int8 copy (wmproto.models.int8), which is no model file: h_f is over float32 tensors only.
INT8_KEY = "wmproto.int8"
_FLOAT32 = "wmproto.models.int8.float32_copy makes float32 weights of it; mark check reads it as it is"
_AGAIN = "safetensors itself writes no such file: save it again with it"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model that was read and digested.

    Attributes:
        data: The file's bytes.
        architecture: Its architecture.
        tensors: Its tensors, names in byte order.
        digest: h_f, 32 bytes.
        file_sha256: SHA-256 of the file, 32 bytes.
    """

    data: bytes
    architecture: Architecture
    tensors: tuple[TensorDigest, ...]
    digest: bytes
    file_sha256: bytes

    @property
    def tensor_entries(self) -> tuple[TensorEntry, ...]:
        """The tensors as a release lists them."""
        return tuple(TensorEntry(digest=t.digest, dtype=t.dtype, name=t.name, shape=t.shape) for t in self.tensors)


def read_metadata(data: bytes, *, what: str) -> dict[str, str]:
    """The free-form metadata of a safetensors file, empty if it has none; what is no text is left out.

    Args:
        data: The whole file; only its header is looked at.
        what: Name of the file, for messages.

    Raises:
        FormatError: Not such a file, or its header is too large, or its metadata cannot be written as UTF-8.
    """
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > len(data) - 8:
        raise FormatError(f"{what}: not a safetensors file", hint="wmproto reads safetensors only, never pickles")
    # Refused before it is parsed: JSON of this size would fill the memory with objects.
    if size > HEADER_LIMIT:
        raise FormatError(f"{what}: a header of {size} bytes is more than the {HEADER_LIMIT} allowed", hint=_AGAIN)
    header = parse_json(data[8 : 8 + size], what=f"{what}: header", limit=HEADER_LIMIT)
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict):
        return {}
    found = {name: text for name, text in metadata.items() if isinstance(text, str)}
    try:
        "".join((*found, *found.values())).encode()
    except UnicodeEncodeError:  # JSON can say half a character, as "\ud800"; whoever reads on encodes this
        raise FormatError(f"{what}: header: its metadata is not UTF-8", hint=_AGAIN) from None
    return found


def read_model(data: bytes, *, profile: Profile = WMPROTO_1) -> ModelFile:
    """Read a model file.

    Raises:
        FormatError: Not safetensors, no or a malformed architecture, or other tensors than it uses.
        UnsupportedError: An int8 copy.
    """
    metadata = read_metadata(data, what="model")
    text = metadata.get(ARCHITECTURE_KEY)
    if text is None and INT8_KEY in metadata:
        raise UnsupportedError(
            "model: an int8 copy; only float32 weights are bound, released or disputed", hint=_FLOAT32
        )
    if text is None:
        raise FormatError(
            "model: the file does not carry its architecture",
            hint=f"save it with wmproto.models.save_model, or put the architecture under metadata {ARCHITECTURE_KEY!r}",
        )
    architecture = parse_architecture_bytes(text.encode())
    tensors = read_tensors(data, architecture, profile=profile)
    return ModelFile(data, architecture, tensors, model_digest(architecture, tensors, profile=profile), sha256(data))


def check_grammar(release: Release) -> Architecture:
    """Check that a release's architecture is in the grammar and its tensors are exactly those it uses (rel-9).

    An audit does not need this, for nothing is decided on the list; whoever relies on a release does.

    Raises:
        FormatError: It is not, or they are not.
    """
    architecture = parse_architecture(release.architecture)
    listed = [(t.name, t.dtype, t.shape) for t in release.tensors]
    if listed != [(name, "F32", shape) for name, shape in architecture.tensors.items()]:
        raise FormatError("release statement: the tensors are not those that the architecture uses")
    return architecture
