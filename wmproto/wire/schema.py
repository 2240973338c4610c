"""The base of every wire object: strict, frozen, nothing unknown, one encoding (specs/encoding.md)."""

import binascii
from base64 import b64encode
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from wmproto.errors import FormatError
from wmproto.wire.canonical import canonical_json, parse_json


def encode_b64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 section 4)."""
    return b64encode(data).decode()


def decode_b64(text: str) -> bytes:
    """Decode standard base64; only what encode_b64 writes is accepted.

    Raises:
        FormatError: Any other text.
    """
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (ValueError, UnicodeEncodeError) as err:
        raise FormatError("not base64") from err
    if encode_b64(data) != text:
        raise FormatError("not canonical base64")
    return data


def _b64(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError("must be base64 text")
    try:
        return decode_b64(value)
    except FormatError as err:
        raise ValueError(str(err)) from err


def _hex32(value: Any) -> bytes:
    if isinstance(value, str) and len(value) == 64 and value.isascii() and value == value.lower():
        try:
            value = binascii.unhexlify(value)
        except binascii.Error:
            raise ValueError("must be 64 lower-case hexadecimal digits") from None
    if not isinstance(value, bytes) or len(value) != 32:
        raise ValueError("must be 64 lower-case hexadecimal digits")
    return value


def check_text(value: Any) -> str:
    """Return 1 to 128 bytes of UTF-8 without control characters (U+0000 to U+001F, U+007F to U+009F), or ValueError."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError("must be UTF-8") from None
    # Not str.isprintable(): what it accepts grows with each Unicode version, and two auditors must not disagree.
    if not 1 <= size <= 128 or any(c < " " or "\x7f" <= c <= "\x9f" for c in value):
        raise ValueError("must be 1 to 128 bytes of UTF-8 without control characters")
    return value


#: 32 bytes; hexadecimal in JSON.
Hex32 = Annotated[bytes, BeforeValidator(_hex32), PlainSerializer(bytes.hex, return_type=str)]
#: Bytes of any length; base64 in JSON.
B64 = Annotated[bytes, BeforeValidator(_b64), PlainSerializer(encode_b64, return_type=str)]
#: A short line for people or a name.
Text = Annotated[str, BeforeValidator(check_text)]
#: A count or an index.
Uint = Annotated[int, Field(ge=0, le=2**53 - 1)]


class Wire(BaseModel):
    """A frozen object with exactly one encoding: ``from_bytes(b).to_bytes() == b`` for every accepted b.

    Subclasses give no field a default: a field that may be missing would give one object two encodings.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", populate_by_name=True)

    def to_bytes(self) -> bytes:
        """The canonical JSON of this object."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))

    @classmethod
    def from_bytes(cls, data: bytes, *, what: str, limit: int) -> Self:
        """Parse canonical JSON.

        Args:
            data: The received bytes.
            what: Name of the object, for messages.
            limit: Size cap in bytes.

        Raises:
            FormatError: The bytes are not the canonical encoding of such an object.
        """
        parse_json(data, what=what, limit=limit)
        value = cls._validated(data, what)
        if value.to_bytes() != data:
            raise FormatError(f"{what}: not in canonical form (RFC 8785)")
        return value

    @classmethod
    def from_text(cls, data: bytes, *, what: str, limit: int) -> Self:
        """Parse JSON that people may have written: as from_bytes, but white space and order of fields are free."""
        parse_json(data, what=what, limit=limit)
        return cls._validated(data, what)

    @classmethod
    def _validated(cls, data: bytes, what: str) -> Self:
        try:
            return cls.model_validate_json(data)
        except ValidationError as err:
            first = err.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])[:80]
            told = f"{where}: {first['msg'].lower()}" if where else first["msg"].lower()
            # Names of fields and of variants are the sender's words: one line, and nothing for the reader's terminal.
            raise FormatError(f"{what}: {ascii(told)[1:-1][:300]}") from None
