"""JSON with exactly one encoding (RFC 8785), strict on the way in (specs/encoding.md)."""

import json
from typing import Any

import rfc8785

from wmproto.errors import FormatError


def canonical_json(value: Any) -> bytes:
    """Encode by RFC 8785.

    Args:
        value: dict with str keys, list, tuple, str, int within +-(2**53 - 1), bool or None. No floats: nothing that
            is committed or decided holds one.

    Raises:
        FormatError: The value has no such encoding.
    """
    try:
        _refuse_floats(value)
        return rfc8785.dumps(value)
    except (ValueError, RecursionError) as err:  # a lone surrogate in a field's name is a bare UnicodeEncodeError
        raise FormatError("value has no canonical encoding") from err


def _refuse_floats(value: Any) -> None:
    """RFC 8785 writes 1.0 as 1; here a float is refused, so that no signed object holds what its reader refuses."""
    if isinstance(value, float):
        raise ValueError("a float")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for inner in value:
        _refuse_floats(inner)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise FormatError("an object holds a field twice")
    return out


def _no_float(text: str) -> Any:
    raise FormatError(f"a number is not an integer: {text[:40]}")


def parse_json(data: bytes, *, what: str, limit: int) -> Any:
    """Parse JSON that people may have written: any white space, but no duplicate fields and no floats.

    Args:
        data: The received bytes.
        what: Name of the object, for the message.
        limit: Size cap in bytes.

    Raises:
        FormatError: Too large, not UTF-8, not JSON, duplicate field, a float.
    """
    if len(data) > limit:
        raise FormatError(f"{what}: {len(data)} bytes are more than the {limit} allowed")
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_float=_no_float, parse_constant=_no_float
        )
    except FormatError as err:
        raise FormatError(f"{what}: {err}") from err
    except (ValueError, RecursionError) as err:  # includes UnicodeDecodeError, JSONDecodeError, huge integers
        raise FormatError(f"{what}: not JSON") from err
