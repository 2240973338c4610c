"""Secrets at rest: one identity, and an owner's master secret, under a passphrase (specs/secretfile.md).

Argon2id turns the passphrase into a SecretBox key and a check value; the box holds the secrets. Role and public key
are readable without the passphrase and are compared with what the box says. Randomness and passphrase come from the
caller. Python cannot wipe memory: whoever reads this process's memory has the secrets.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal, cast, get_args

from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.exceptions import RuntimeError as SodiumRuntimeError
from pydantic import Field

from wmproto.crypto.signer import Signer
from wmproto.errors import ConfigError, FormatError, SecretError, StateError, WmprotoError
from wmproto.wire.framing import frame, sha256
from wmproto.wire.schema import B64, Hex32, Wire

Role = Literal["owner", "arbitrator", "respondent", "log"]
Random = Callable[[int], bytes]

SECRET_LIMIT = 1 << 20  # bytes of a secret file
MODERATE_OPS = bindings.crypto_pwhash_argon2id_OPSLIMIT_MODERATE  # 3 passes
MODERATE_MEM = bindings.crypto_pwhash_argon2id_MEMLIMIT_MODERATE  # 256 MiB

_MAX_OPS, _MIN_MEM, _MAX_MEM = 16, 8 << 10, 1 << 30  # about half a minute at the worst
_MAX_CONTEXTS = 4096
_SALT, _NONCE = bindings.crypto_pwhash_SALTBYTES, bindings.crypto_secretbox_NONCEBYTES  # 16, 24
_OVERHEAD = bindings.crypto_secretbox_MACBYTES  # 16


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """What a secret file holds. Neither repr nor str show any of it.

    Attributes:
        role: Whose it is.
        seed: Seed of the Ed25519 identity, 32 bytes.
        master: The owner's master secret s, 32 bytes; None for everybody else.
        contexts: Every keyctx (32 bytes each) that this owner has used, in order: none is ever used twice (hole R13).
    """

    role: Role
    seed: bytes
    master: bytes | None
    contexts: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.seed) != 32 or any(len(c) != 32 for c in self.contexts):
            raise ValueError("a seed and a context have 32 bytes")
        if (self.master is not None) != (self.role == "owner") or (self.master is not None and len(self.master) != 32):
            raise ValueError("an owner, and nobody else, has a master secret of 32 bytes")
        if (self.contexts and self.master is None) or len(set(self.contexts)) != len(self.contexts):
            raise ValueError("only an owner has contexts, all different")

    def __repr__(self) -> str:
        return f"Secret(role={self.role!r})"

    def signer(self) -> Signer:
        """The Ed25519 identity."""
        return Signer(self.seed)

    def with_context(self, keyctx: bytes) -> Secret:
        """The same secrets, remembering that ``keyctx`` is used; seal and store them before the key is made.

        Args:
            keyctx: 32 fresh random bytes.

        Raises:
            StateError: The context was used before.
            ConfigError: Not an owner's secrets, or 4,096 contexts are used.
        """
        if self.master is None:
            raise ConfigError(f"a key of role {self.role} makes no trigger keys", hint="use the owner's key file")
        if keyctx in self.contexts:
            raise StateError("this key context was used before", hint="draw a fresh one: never use one twice")
        if len(self.contexts) >= _MAX_CONTEXTS:
            raise ConfigError(f"this owner has made {_MAX_CONTEXTS} keys", hint="make a new owner key")
        return replace(self, contexts=(*self.contexts, keyctx))


class _Kdf(Wire):
    """How the passphrase becomes keys: Argon2id version 1.3, one lane."""

    mem: Annotated[int, Field(ge=_MIN_MEM, le=_MAX_MEM, multiple_of=1024)]
    name: Literal["argon2id"]
    ops: Annotated[int, Field(ge=1, le=_MAX_OPS)]
    salt: Annotated[B64, Field(min_length=_SALT, max_length=_SALT)]


class _Content(Wire):
    """Plaintext of the box; ``role`` stands in it because nothing else binds it to the passphrase."""

    contexts: Annotated[tuple[Hex32, ...], Field(max_length=_MAX_CONTEXTS)]
    master: Hex32 | None
    role: Role
    seed: Hex32


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
        data = unicodedata.normalize("NFC", text).encode()
    except UnicodeEncodeError:
        raise ConfigError("the passphrase is not text") from None
    _check_passphrase(data)
    return data


def new_secret(role: str, random: Random) -> Secret:
    """Draw a new identity, and for an owner a master secret.

    Args:
        role: owner, arbitrator, respondent or log.
        random: ``random(n)`` gives n bytes that nobody can predict, as secrets.token_bytes does.

    Raises:
        ConfigError: Another role.
    """
    if role not in get_args(Role):
        raise ConfigError(f"there is no role {role!r}", hint=f"one of {', '.join(get_args(Role))}")
    seed = random(32)
    return Secret(role=cast(Role, role), seed=seed, master=random(32) if role == "owner" else None)


def seal(
    secret: Secret, passphrase: bytes, *, random: Random, ops: int = MODERATE_OPS, mem: int = MODERATE_MEM
) -> bytes:
    """Write secrets as the bytes of a secret file.

    The defaults take about a second and 256 MiB. Salt and nonce are drawn anew each time.

    Args:
        secret: The secrets.
        passphrase: Not empty; see passphrase_from_text.
        random: See new_secret.
        ops: Passes of Argon2id, 1 to 16; below 3 only for tests and demonstrations.
        mem: Its memory in bytes, 8 KiB to 1 GiB, a multiple of 1,024; below 256 MiB only for tests and demonstrations.

    Raises:
        ConfigError: Empty passphrase, or not enough memory.
        ValueError: ops or mem out of range.
    """
    _check_passphrase(passphrase)
    if not (1 <= ops <= _MAX_OPS and _MIN_MEM <= mem <= _MAX_MEM and mem % 1024 == 0):
        raise ValueError("ops or mem out of range")
    kdf = _Kdf(mem=mem, name="argon2id", ops=ops, salt=random(_SALT))
    keys = _derive(passphrase, kdf)
    del passphrase
    if keys is None:
        raise _no_memory(kdf)
    content = _Content(contexts=secret.contexts, master=secret.master, role=secret.role, seed=secret.seed)
    nonce = random(_NONCE)
    draft = _SecretFile(
        box=bindings.crypto_secretbox(content.to_bytes(), nonce, keys[:32]),
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
        plain = bindings.crypto_secretbox_open(file.box, file.nonce, keys[:32])
        content = _Content.from_bytes(plain, what="secret file", limit=SECRET_LIMIT)
        secret = Secret(role=content.role, seed=content.seed, master=content.master, contexts=content.contexts)
    except (CryptoError, FormatError, ValueError):
        return edited
    if (secret.role, secret.signer().public) != (file.role, file.public):
        return edited
    return secret


def _derive(passphrase: bytes, kdf: _Kdf) -> bytes | None:
    """Key of the box and check value, 32 bytes each, or None where there is not enough memory."""
    try:
        keys: bytes = bindings.crypto_pwhash_alg(
            64, passphrase, kdf.salt, kdf.ops, kdf.mem, bindings.crypto_pwhash_ALG_ARGON2ID13
        )
    except SodiumRuntimeError:
        return None
    return keys


def _no_memory(kdf: _Kdf) -> ConfigError:
    return ConfigError(f"the passphrase needs {kdf.mem >> 20} MiB of memory, which are not there")


def _check_passphrase(passphrase: bytes) -> None:
    if not passphrase:
        raise ConfigError("the passphrase is empty")
