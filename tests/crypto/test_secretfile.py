"""Secret files: what opens, what is refused and as what, and that nothing shows a secret (specs/secretfile.md)."""

import json
import time
import traceback
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings
from nacl.exceptions import RuntimeError as SodiumRuntimeError
from nacl.pwhash import argon2id

from wmproto.crypto import secretfile
from wmproto.crypto.secretfile import (
    MODERATE_MEM,
    MODERATE_OPS,
    SECRET_LIMIT,
    Secret,
    new_secret,
    open_secret,
    passphrase_from_text,
    read_public,
    seal,
)
from wmproto.errors import ConfigError, FormatError, SecretError, StateError, WmprotoError
from wmproto.wire.canonical import canonical_json
from wmproto.wire.framing import frame, sha256

PASSPHRASE = b"correct horse"
TINY = {"ops": 1, "mem": 8192}
ROLES = ("owner", "arbitrator", "respondent", "log", "witness")
SEED, MASTER, CONTEXT = (bytes([letter]) * 32 for letter in b"smc")


def counter():
    """A random source for tests: 1, 2, 3, ... in every byte."""
    calls = iter(range(1, 256))
    return lambda n: bytes([next(calls)]) * n


def sealed(secret=None, **cost):
    secret = secret or Secret("owner", SEED, MASTER, (CONTEXT,))
    return seal(secret, PASSPHRASE, random=counter(), **(cost or TINY))


def remade(data, **changes):
    """A file with fields exchanged and its digest mended, as somebody would who edits it on purpose."""
    fields = json.loads(data)
    for name, value in changes.items():
        target = fields["kdf"] if name in fields["kdf"] else fields
        target[name] = value
    kdf = fields["kdf"]
    order = (fields["format"], fields["role"], bytes.fromhex(fields["public"]), kdf["name"], kdf["ops"], kdf["mem"])
    rest = (
        b64decode(kdf["salt"]),
        bytes.fromhex(fields["check"]),
        b64decode(fields["nonce"]),
        b64decode(fields["box"]),
    )
    fields["digest"] = sha256(frame(*order, *rest)).hex()
    return canonical_json(fields)


@pytest.mark.parametrize("role", ROLES)
def test_what_is_sealed_is_opened(role):
    secret = new_secret(role, counter())
    data = seal(secret, PASSPHRASE, random=counter(), **TINY)
    assert open_secret(data, PASSPHRASE) == secret
    assert read_public(data) == (role, secret.signer().public)
    assert (secret.master is not None) == (role == "owner")
    assert seal(open_secret(data, PASSPHRASE), PASSPHRASE, random=counter(), **TINY) == data


def test_seed_and_master_are_drawn_apart():
    secret = new_secret("owner", counter())
    assert (secret.seed, secret.master, secret.contexts) == (bytes([1]) * 32, bytes([2]) * 32, ())


def test_the_file_byte_by_byte():
    fields = json.loads(sealed())
    assert canonical_json(fields) == sealed()
    assert remade(sealed()) == sealed()
    salt, nonce = bytes([1]) * 16, bytes([2]) * 24
    keys = argon2id.kdf(64, PASSPHRASE, salt, opslimit=1, memlimit=8192)
    plain = {"contexts": [CONTEXT.hex()], "master": MASTER.hex(), "role": "owner", "seed": SEED.hex()}
    assert fields.pop("digest")
    assert fields == {
        "box": b64encode(bindings.crypto_secretbox(canonical_json(plain), nonce, keys[:32])).decode(),
        "check": keys[32:].hex(),
        "format": "wmproto/secret@v1",
        "kdf": {"mem": 8192, "name": "argon2id", "ops": 1, "salt": b64encode(salt).decode()},
        "nonce": b64encode(nonce).decode(),
        "public": bindings.crypto_sign_seed_keypair(SEED)[0].hex(),
        "role": "owner",
    }


def test_the_default_cost_is_libsodiums_moderate(monkeypatch):
    assert (MODERATE_OPS, MODERATE_MEM) == (3, 256 << 20)
    asked = []
    monkeypatch.setattr(bindings, "crypto_pwhash_alg", lambda *a: asked.append(a[3:5]) or bytes(64))
    seal(new_secret("log", counter()), PASSPHRASE, random=counter())
    assert asked == [(MODERATE_OPS, MODERATE_MEM)]


def test_every_flipped_bit_is_refused_as_damage_before_any_work(monkeypatch):
    data = sealed()
    monkeypatch.setattr(bindings, "crypto_pwhash_alg", None)
    for at in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[at] ^= 1 << bit
            for read in (read_public, lambda d: open_secret(d, PASSPHRASE)):
                with pytest.raises(FormatError):
                    read(bytes(damaged))


def test_every_truncation_and_extension_is_refused():
    data = sealed()
    for size in range(len(data)):
        with pytest.raises(FormatError):
            read_public(data[:size])
    for more in (b"\n", b" ", b"\x00", data):
        with pytest.raises(FormatError):
            read_public(data + more)
    with pytest.raises(FormatError):
        read_public(b"\xef\xbb\xbf" + data)
    with pytest.raises(FormatError, match="allowed"):
        read_public(data + b" " * SECRET_LIMIT)


@pytest.mark.parametrize("wrong", [b"correct horsf", b"correct hors", b"correct horse ", b"\x00"])
def test_a_wrong_passphrase_is_told_apart_from_a_damaged_file(wrong):
    with pytest.raises(SecretError, match="wrong passphrase"):
        open_secret(sealed(), wrong)


def test_edits_with_a_mended_digest():
    data = sealed()
    other = seal(Secret("owner", MASTER, SEED), PASSPHRASE, random=counter(), **TINY)
    fields = json.loads(data)
    box = bytearray(b64decode(fields["box"]))
    box[40] ^= 1
    swapped = json.loads(other)
    assert swapped["kdf"] == fields["kdf"]  # the same key and check: only what is in the box can tell
    edited = [
        {"role": "arbitrator"},
        {"public": swapped["public"]},
        {"box": b64encode(box).decode()},
        {"box": swapped["box"]},
        {"nonce": b64encode(bytes(24)).decode()},
    ]
    for change in edited:
        with pytest.raises(FormatError, match="edited"):
            open_secret(remade(data, **change), PASSPHRASE)
    # These change what the passphrase is compared with: nobody can tell them from a wrong passphrase.
    for change in ({"salt": b64encode(bytes(16)).decode()}, {"ops": 2}, {"mem": 9 << 10}, {"check": "00" * 32}):
        with pytest.raises(SecretError, match="wrong passphrase"):
            open_secret(remade(data, **change), PASSPHRASE)


def test_one_file_does_not_open_under_two_passphrases():
    # SecretBox alone is not key-committing; the check value is. A file whose box fits a second key still fails on it.
    data, second = sealed(), b"another passphrase"
    fields = json.loads(data)
    keys = bindings.crypto_pwhash_alg(64, second, b64decode(fields["kdf"]["salt"]), 1, 8192, 2)
    plain = {"contexts": [], "master": MASTER.hex(), "role": "owner", "seed": SEED.hex()}
    box = bindings.crypto_secretbox(canonical_json(plain), b64decode(fields["nonce"]), keys[:32])
    with pytest.raises(SecretError):
        open_secret(remade(data, box=b64encode(box).decode()), second)


@pytest.mark.parametrize(
    "change",
    [
        {"ops": 17}, {"ops": 0}, {"ops": -1}, {"ops": 2**53 - 1}, {"ops": True}, {"ops": "3"},
        {"mem": 2 << 30}, {"mem": (1 << 30) + 1024}, {"mem": 8191}, {"mem": 8193}, {"mem": 0}, {"mem": 2**53 - 1},
        {"name": "argon2i"}, {"salt": b64encode(bytes(15)).decode()}, {"salt": b64encode(bytes(17)).decode()},
        {"nonce": b64encode(bytes(23)).decode()}, {"box": b64encode(bytes(15)).decode()}, {"box": ""},
        {"format": "wmproto/secret@v2"}, {"role": "king"}, {"public": "00"}, {"check": "AA" * 32}, {"extra": 1},
    ],
    ids=lambda c: str(c)[:40],
)  # fmt: skip
def test_out_of_bounds_is_refused_fast(change, monkeypatch):
    data = sealed()
    fields = json.loads(data)
    ((name, value),) = change.items()
    (fields["kdf"] if name in fields["kdf"] else fields)[name] = value
    try:
        bad = remade(data, **change)  # its digest is right: only the bounds are left to refuse it
    except (TypeError, ValueError):
        bad = canonical_json(fields)  # what is no number, base64 or hexadecimal has no digest either
    monkeypatch.setattr(bindings, "crypto_pwhash_alg", None)
    began = time.perf_counter()
    for read in (read_public, lambda d: open_secret(d, PASSPHRASE)):
        with pytest.raises(FormatError, match=r"^secret file: (?!damaged)"):
            read(bad)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize("cost", [{"ops": 17, "mem": 8192}, {"ops": 0, "mem": 8192}, {"ops": 1, "mem": 8193}])
def test_nothing_is_sealed_that_could_not_be_opened(cost):
    with pytest.raises(ValueError, match="out of range"):
        sealed(**cost)


@pytest.mark.parametrize(
    "content",
    [
        {"contexts": [], "master": None, "role": "owner", "seed": SEED.hex()},
        {"contexts": [CONTEXT.hex()] * 2, "master": MASTER.hex(), "role": "owner", "seed": SEED.hex()},
        {"contexts": [], "role": "owner", "seed": SEED.hex()},
        {"contexts": [], "master": MASTER.hex(), "role": "owner", "seed": SEED.hex()[:-2]},
        [],
    ],
)
def test_a_box_with_something_else_in_it(content):
    data = sealed()
    fields = json.loads(data)
    keys = bindings.crypto_pwhash_alg(64, PASSPHRASE, b64decode(fields["kdf"]["salt"]), 1, 8192, 2)
    box = bindings.crypto_secretbox(canonical_json(content), b64decode(fields["nonce"]), keys[:32])
    with pytest.raises(FormatError, match="edited"):
        open_secret(remade(data, box=b64encode(box).decode()), PASSPHRASE)


@given(st.binary(max_size=300))
def test_random_bytes_are_no_secret_file(data):
    with pytest.raises(FormatError):
        open_secret(data, PASSPHRASE)


def test_an_empty_passphrase_is_refused():
    for call in (lambda: sealed(), lambda: open_secret(sealed(), PASSPHRASE)):
        call()
    with pytest.raises(ConfigError, match="empty"):
        seal(new_secret("log", counter()), b"", random=counter(), **TINY)
    with pytest.raises(ConfigError, match="empty"):
        open_secret(sealed(), b"")
    with pytest.raises(ConfigError, match="empty"):
        passphrase_from_text("")


def test_typed_passphrases_are_normalised():
    composed, decomposed = "caf\u00e9 \u00c5", "cafe\u0301 A\u030a"
    assert passphrase_from_text(composed) == passphrase_from_text(decomposed) == composed.encode()
    assert passphrase_from_text("\u2460") == "\u2460".encode()  # NFC, not NFKC: nothing that looks different is merged
    with pytest.raises(ConfigError, match="not text"):
        passphrase_from_text("\ud800")


def test_not_enough_memory_is_no_wrong_passphrase(monkeypatch):
    data, secret = sealed(), new_secret("log", counter())

    def fails(*_):
        raise SodiumRuntimeError

    monkeypatch.setattr(bindings, "crypto_pwhash_alg", fails)
    for call in (lambda: open_secret(data, PASSPHRASE), lambda: seal(secret, PASSPHRASE, random=counter())):
        with pytest.raises(ConfigError, match="memory") as err:
            call()
        assert not isinstance(err.value, SecretError)


def test_contexts_are_remembered_and_never_repeated():
    secret = new_secret("owner", counter())
    for n in range(5):
        later = secret.with_context(bytes([n]) * 32)
        assert later.contexts == (*secret.contexts, bytes([n]) * 32)
        secret = open_secret(seal(later, PASSPHRASE, random=counter(), **TINY), PASSPHRASE)
        assert secret == later
    with pytest.raises(StateError, match="used before"):
        secret.with_context(bytes([3]) * 32)
    assert len(secret.contexts) == 5
    with pytest.raises(ValueError, match="32 bytes"):
        secret.with_context(b"short")


def test_only_an_owner_makes_keys():
    with pytest.raises(ConfigError, match="arbitrator"):
        new_secret("arbitrator", counter()).with_context(CONTEXT)
    with pytest.raises(ConfigError, match="no role 'king'"):
        new_secret("king", counter())


def test_a_key_file_is_full_after_4096_contexts_and_still_opens():
    contexts = tuple(n.to_bytes(32, "big") for n in range(4096))
    secret = Secret("owner", SEED, MASTER, contexts)
    data = sealed(secret)
    assert len(data) < SECRET_LIMIT
    assert open_secret(data, PASSPHRASE) == secret
    with pytest.raises(ConfigError, match="4096"):
        secret.with_context(CONTEXT)


@pytest.mark.parametrize(
    "fields",
    [
        ("owner", SEED, None), ("log", SEED, MASTER), ("owner", SEED[:-1], MASTER), ("owner", SEED, MASTER + b"x"),
        ("owner", SEED, MASTER, (CONTEXT, CONTEXT)), ("log", SEED, None, (CONTEXT,)), ("owner", SEED, b""),
    ],
)  # fmt: skip
def test_a_secret_that_makes_no_sense_does_not_exist(fields):
    with pytest.raises(ValueError):
        Secret(*fields)


def shows_no_secret(text):
    leaks = [MASTER, SEED, CONTEXT, PASSPHRASE]
    return all(leak.decode() not in text and leak.hex() not in text for leak in leaks)


def trace(call, *arguments):
    """The traceback of a call with every frame's variables, as crash reporters print it, but for this frame."""
    try:
        call(*arguments)
    except WmprotoError as err:
        below = err.__traceback__.tb_next
        return "".join(traceback.TracebackException(type(err), err, below, capture_locals=True).format())
    raise AssertionError("nothing was raised")


def test_nothing_shows_a_secret():
    secret = Secret("owner", bytes(SEED), bytes(MASTER), (bytes(CONTEXT),))
    assert repr(secret) == str(secret) == f"{secret}" == "Secret(role='owner')"

    def holder():
        held = (secret, [secret], {"key": secret}, secret.signer())
        assert held
        raise StateError("something else went wrong")

    text = trace(holder)
    assert "Secret(role='owner')" in text
    assert shows_no_secret(text)


def test_no_traceback_of_ours_shows_passphrase_or_keys(monkeypatch):
    data = sealed()
    keys = bindings.crypto_pwhash_alg(64, PASSPHRASE, bytes([1]) * 16, 1, 8192, 2)
    cases = [
        (remade(data, check="00" * 32), SecretError),
        (remade(data, role="log"), FormatError),
        (remade(data, nonce=b64encode(bytes(24)).decode()), FormatError),
        (remade(data, box=json.loads(sealed(Secret("owner", MASTER, SEED)))["box"]), FormatError),
    ]
    for bad, kind in cases:
        with pytest.raises(kind):
            open_secret(bad, PASSPHRASE)
        text = trace(open_secret, bad, PASSPHRASE)
        assert "open_secret" in text
        assert shows_no_secret(text)
        assert repr(keys[:32])[2:-1] not in text
    monkeypatch.setattr(secretfile, "_derive", lambda *_: None)
    secret = Secret("owner", SEED, MASTER)
    for call in (lambda: open_secret(data, PASSPHRASE), lambda: seal(secret, PASSPHRASE, random=counter())):
        assert shows_no_secret(trace(call))
