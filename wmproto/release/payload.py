"""A release as the bytes that its owner signs; record.py verifies them."""

from collections.abc import Mapping

from wmproto.errors import FormatError
from wmproto.release.record import RELEASE_LIMIT, Release
from wmproto.wire.compose import compose_statement


def release_payload(release: Release, files: Mapping[str, bytes]) -> bytes:
    """The canonical statement about the released files (name -> SHA-256, 32 bytes); FormatError above 1 MiB."""
    payload = compose_statement("release", release, *sorted(files.items()))
    if len(payload) > RELEASE_LIMIT:
        raise FormatError(f"release statement: {len(payload)} bytes, at most {RELEASE_LIMIT} are allowed")
    return payload
