"""Secrets at rest: one identity, and an owner's master secret, under a passphrase (specs/secretfile.md).

Argon2id turns the passphrase into a SecretBox key and a check value; the box holds the secrets. Role and public key
are readable without the passphrase and are compared with what the box says. Randomness and passphrase come from the
caller. Python cannot wipe memory: whoever reads this process's memory has the secrets.
"""

from __future__ import annotations

import hmac
import unicodedata
from typing import Annotated, Literal

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.exceptions import RuntimeError as SodiumRuntimeError
from pydantic import Field

from wmproto.crypto.secret import Content, Random, Role, Secret, new_secret
from wmproto.errors import ConfigError, FormatError, SecretError, WmprotoError
from wmproto.wire.framing import frame, sha256
from wmproto.wire.hidden import Hidden
from wmproto.wire.schema import B64, Hex32, Wire

__all__ = [
    "MODERATE_MEM",
    "MODERATE_OPS",
    "SECRET_LIMIT",
    "Random",
    "Role",
    "Secret",
    "cost",
    "new_secret",
    "open_secret",
    "passphrase_from_text",
    "read_public",
    "seal",
]

SECRET_LIMIT = 1 << 20  # bytes of a secret file
MODERATE_OPS = bindings.crypto_pwhash_argon2id_OPSLIMIT_MODERATE  # 3 passes
MODERATE_MEM = bindings.crypto_pwhash_argon2id_MEMLIMIT_MODERATE  # 256 MiB

_MAX_OPS, _MIN_MEM, _MAX_MEM = 16, 8 << 10, 1 << 30  # about half a minute at the worst
_SALT, _NONCE = bindings.crypto_pwhash_SALTBYTES, bindings.crypto_secretbox_NONCEBYTES  # 16, 24
_OVERHEAD = bindings.crypto_secretbox_MACBYTES  # 16


class _Kdf(Wire):
    """How the passphrase becomes keys: Argon2id version 1.3, one lane."""

    mem: Annotated[int, Field(ge=_MIN_MEM, le=_MAX_MEM, multiple_of=1024)]
    name: Literal["argon2id"]
    ops: Annotated[int, Field(ge=1, le=_MAX_OPS)]
    salt: Annotated[B64, Field(min_length=_SALT, max_length=_SALT)]


class _SecretFile(Wire):
    """The file."""

    box: Annotated[B64, Field(min_length=_OVERHEAD, max_length=SECRET_LIMIT)]
    check: Hex32
    digest: Hex32
    format: Literal["wmproto/secret@v1"]
    kdf: _Kdf
    nonce: Annotated[B64, Field(min_length=_NONCE, max_length=_NONCE)]
    public: Hex32
    role: Role

    def expected_digest(self) -> bytes:
        """SHA-256 over the frame of every other field: tells a damaged file from a wrong passphrase."""
        kdf = self.kdf
        header = (self.format, self.role, self.public, kdf.name, kdf.ops, kdf.mem, kdf.salt)
        return sha256(frame(*header, self.check, self.nonce, self.box))


def passphrase_from_text(text: str) -> bytes:
    """The bytes of a passphrase that was typed: Unicode NFC, then UTF-8, so that keyboards do not matter.

    Raises:
        ConfigError: It is empty, or not encodable.
    """
    try:
        data = Hidden(unicodedata.normalize("NFC", text).encode())
    except UnicodeEncodeError:
        raise ConfigError("the passphrase is not text") from None
    _check_passphrase(data)
    return data


def seal(
    secret: Secret,
    passphrase: bytes,
    *,
    random: Random,
    ops: int = MODERATE_OPS,
    mem: int = MODERATE_MEM,
    at_least: tuple[int, int] = (0, 0),
) -> bytes:
    """Write secrets as the bytes of a secret file.

    The defaults take about a second and 256 MiB. Salt and nonce are drawn anew each time.

    Args:
        secret: The secrets.
        passphrase: Not empty; see passphrase_from_text.
        random: See new_secret.
        ops: Passes of Argon2id, 1 to 16; below 3 only for tests and demonstrations.
        mem: Its memory in bytes, 8 KiB to 1 GiB, a multiple of 1,024; below 256 MiB only for tests and demonstrations.
        at_least: (ops, mem) of the file that this one replaces: neither becomes less than it was.

    Raises:
        ConfigError: Empty passphrase, or not enough memory.
        ValueError: ops or mem out of range.
    """
    _check_passphrase(passphrase)
    ops, mem = max(ops, at_least[0]), max(mem, at_least[1])
    if not (1 <= ops <= _MAX_OPS and _MIN_MEM <= mem <= _MAX_MEM and mem % 1024 == 0):
        raise ValueError("ops or mem out of range")
    kdf = _Kdf(mem=mem, name="argon2id", ops=ops, salt=random(_SALT))
    keys = _derive(passphrase, kdf)
    del passphrase
    if keys is None:
        raise _no_memory(kdf)
    nonce = random(_NONCE)
    draft = _SecretFile(
        box=bindings.crypto_secretbox(Content.of(secret).to_bytes(), nonce, keys[:32]),
        check=keys[32:],
        digest=bytes(32),
        format="wmproto/secret@v1",
        kdf=kdf,
        nonce=nonce,
        public=secret.signer().public,
        role=secret.role,
    )
    return draft.model_copy(update={"digest": draft.expected_digest()}).to_bytes()


def read_public(data: bytes) -> tuple[Role, bytes]:
    """Role and Ed25519 public key (32 bytes) of a secret file; needs no passphrase, and believes the file.

    Raises:
        FormatError: Not a secret file, or a damaged one.
    """
    file = _parse(data)
    return file.role, file.public


def cost(data: bytes) -> tuple[int, int]:
    """(ops, mem in bytes): what a guess at the passphrase of a secret file costs; believes the file.

    Raises:
        FormatError: Not a secret file, or a damaged one.
    """
    kdf = _parse(data).kdf
    return kdf.ops, kdf.mem


def open_secret(data: bytes, passphrase: bytes) -> Secret:
    """Open a secret file.

    Args:
        data: Its bytes.
        passphrase: Not empty; see passphrase_from_text.

    Raises:
        SecretError: Wrong passphrase; another one may fit.
        FormatError: Not a secret file, damaged, or edited by somebody; no passphrase will help.
        ConfigError: Empty passphrase, or not enough memory.
    """
    _check_passphrase(passphrase)
    found = _unlock(_parse(data), passphrase)
    del passphrase  # a traceback that shows variables shall not show it
    if isinstance(found, WmprotoError):
        raise found
    return found


def _parse(data: bytes) -> _SecretFile:
    file = _SecretFile.from_bytes(data, what="secret file", limit=SECRET_LIMIT)
    if file.digest != file.expected_digest():
        raise FormatError("secret file: damaged, its digest does not match", hint="restore it from a backup")
    return file


def _unlock(file: _SecretFile, passphrase: bytes) -> Secret | WmprotoError:
    """Return the error instead of raising it: a traceback through this frame could show the passphrase and the keys."""
    keys = _derive(passphrase, file.kdf)
    if keys is None:
        return _no_memory(file.kdf)
    if not hmac.compare_digest(keys[32:], file.check):
        return SecretError("wrong passphrase", hint="the file itself is undamaged: try again")
    edited = FormatError("secret file: somebody has edited it", hint="restore it from a backup")
    try:
        plain = Hidden(bindings.crypto_secretbox_open(file.box, file.nonce, keys[:32]))
        secret = Content.from_bytes(plain, what="secret file", limit=SECRET_LIMIT).secret()
    except (CryptoError, FormatError, ValueError):
        return edited
    if (secret.role, secret.signer().public) != (file.role, file.public):
        return edited
    return secret


def _derive(passphrase: bytes, kdf: _Kdf) -> bytes | None:
    """Key of the box and check value, 32 bytes each, or None where there is not enough memory."""
    try:
        return Hidden(
            bindings.crypto_pwhash_alg(
                64, passphrase, kdf.salt, kdf.ops, kdf.mem, bindings.crypto_pwhash_ALG_ARGON2ID13
            )
        )
    except SodiumRuntimeError:
        return None


def _no_memory(kdf: _Kdf) -> ConfigError:
    return ConfigError(f"the passphrase needs {kdf.mem >> 20} MiB of memory, which are not there")


def _check_passphrase(passphrase: bytes) -> None:
    if not passphrase:
        raise ConfigError("the passphrase is empty")
