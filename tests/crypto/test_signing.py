"""Ed25519: the vectors of RFC 8032, and everything that the one rule refuses (enc-ed25519-1 and 2)."""

import json
import traceback
from pathlib import Path

import naive_ed25519 as ed
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings
from nacl.exceptions import BadSignatureError

from wmproto.crypto.signer import Signer
from wmproto.crypto.signing import check_public_key, verify_envelope, verify_signature
from wmproto.errors import SignatureError
from wmproto.wire.compose import compose_envelope
from wmproto.wire.dsse import Envelope, pae

RFC_8032 = json.loads((Path(__file__).parent.parent / "data/rfc8032.json").read_text())["tests"]
MESSAGE = b"the message"
SECRET, NONCE = 0x1234567 << 200 | 89, 0x9876543 << 190 | 21  # scalars below L
A, R = ed.multiply(SECRET, ed.BASE), ed.multiply(NONCE, ed.BASE)


def make(key, nonce_point, *, key_bytes=None, nonce_bytes=None, message=MESSAGE, nonce=NONCE, secret=SECRET):
    """A signature with S = r + h*a for the given bytes of A and R."""
    key_bytes = key_bytes or ed.encode(key)
    nonce_bytes = nonce_bytes or ed.encode(nonce_point)
    s = (nonce + ed.scalar(nonce_bytes, key_bytes, message) * secret) % ed.L
    return key_bytes, ed.signature(nonce_bytes, s)


@pytest.mark.parametrize("case", RFC_8032, ids=lambda c: c["name"])
def test_rfc_8032(case):
    seed, public, message, signature = (bytes.fromhex(case[k]) for k in ("seed", "public", "message", "signature"))
    signer = Signer(seed)
    assert signer.public == public
    assert signer.sign(message) == signature
    verify_signature(public, message, signature)


def test_the_arithmetic_of_these_tests_agrees_with_libsodium():
    public, sig = make(A, R)
    assert check_public_key(public) == public
    verify_signature(public, MESSAGE, sig)
    assert ed.cofactored(public, MESSAGE, sig)
    assert len(set(ed.TORSION)) == 8


def test_small_order_keys_in_every_encoding_are_refused():
    encodings = {
        ed.encode(point, y_plus=y_plus, flip_sign=flip_sign)
        for point in ed.TORSION
        for flip_sign in (False, True)
        for y_plus in (0, ed.P)
        if point[1] + y_plus < 1 << 255
    }
    assert len(encodings) == 14  # 5 values of y below p, 2 of them once more above it, each with both signs
    for raw in encodings:
        with pytest.raises(SignatureError) as err:
            check_public_key(raw)
        assert err.value.rule == "enc-ed25519-1"


def test_a_small_order_key_would_sign_every_message():
    public = ed.encode(ed.IDENTITY)  # S*B = R + h*0
    sig = ed.signature(ed.encode(R), NONCE)
    for message in (b"one", b"another"):
        assert ed.cofactored(public, message, sig)
        with pytest.raises(SignatureError, match="public key"):
            verify_signature(public, message, sig)


def test_no_y_from_p_upwards_is_a_key():
    for excess in range(19):
        for sign in (0, 1):
            raw = ((ed.P + excess) | sign << 255).to_bytes(32, "little")
            with pytest.raises(SignatureError):
                check_public_key(raw)


@pytest.mark.parametrize("i", range(1, 8))
def test_mixed_order_keys_are_refused_though_a_signature_fits_both_equations(i):
    key = ed.add(A, ed.TORSION[i])
    for n in range(200):
        message = b"message %d" % n
        public, sig = make(key, R, message=message)
        if ed.scalar(sig[:32], public, message) % 8 == 0:  # then h*T vanishes: valid with and without the cofactor
            break
    assert ed.cofactored(public, message, sig)
    with pytest.raises(SignatureError) as err:
        verify_signature(public, message, sig)
    assert err.value.rule == "enc-ed25519-1"


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33), b"\xff" * 32, (2).to_bytes(32, "little")])
def test_what_is_no_point_is_no_key(raw):
    assert ed.x_of(2, 0) is None
    with pytest.raises(SignatureError):
        check_public_key(raw)


def cofactored_open(signed, public):
    """What crypto_sign_open does in newer releases of libsodium, as far as R is concerned."""
    if not ed.cofactored(public, signed[64:], signed[:64]):
        raise BadSignatureError
    return signed[64:]


@pytest.mark.parametrize("i", range(8))
@pytest.mark.parametrize("newer", [False, True])
def test_small_order_R_is_refused_by_every_libsodium(i, newer, monkeypatch):
    if newer:
        monkeypatch.setattr(bindings, "crypto_sign_open", cofactored_open)
    public, sig = make(A, ed.TORSION[i], nonce=0)
    assert ed.cofactored(public, MESSAGE, sig)
    with pytest.raises(SignatureError) as err:
        verify_signature(public, MESSAGE, sig)
    assert err.value.rule == "enc-ed25519-2"


@pytest.mark.parametrize("i", range(1, 8))
@pytest.mark.parametrize("newer", [False, True])
def test_mixed_order_R_is_refused_by_every_libsodium(i, newer, monkeypatch):
    if newer:
        monkeypatch.setattr(bindings, "crypto_sign_open", cofactored_open)
    public, sig = make(A, ed.add(R, ed.TORSION[i]))
    assert ed.cofactored(public, MESSAGE, sig)
    with pytest.raises(SignatureError):
        verify_signature(public, MESSAGE, sig)


def test_non_canonical_R_is_refused():
    for y_plus, flip_sign in ((ed.P, False), (ed.P, True), (0, True)):
        raw = ed.encode(ed.IDENTITY, y_plus=y_plus, flip_sign=flip_sign)
        public, sig = make(A, ed.IDENTITY, nonce_bytes=raw, nonce=0)
        assert ed.cofactored(public, MESSAGE, sig)
        with pytest.raises(SignatureError):
            verify_signature(public, MESSAGE, sig)


def test_S_plus_L_is_refused():
    public, sig = make(A, R)
    s = int.from_bytes(sig[32:], "little")
    for k in range(1, 16):
        if s + k * ed.L < 1 << 256:
            with pytest.raises(SignatureError):
                verify_signature(public, MESSAGE, ed.signature(sig[:32], s + k * ed.L))


@given(st.binary(max_size=100), st.integers(0, 511), st.binary(min_size=32, max_size=32))
def test_a_flipped_bit_anywhere_is_refused(message, bit, seed):
    signer = Signer(seed)
    sig = bytearray(signer.sign(message))
    verify_signature(signer.public, message, bytes(sig))
    with pytest.raises(SignatureError):
        verify_signature(signer.public, message + b"\x00", bytes(sig))
    sig[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureError):
        verify_signature(signer.public, message, bytes(sig))


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_signature_has_64_bytes(size):
    with pytest.raises(SignatureError):
        verify_signature(Signer(bytes(32)).public, MESSAGE, bytes(size))


def test_an_envelope_is_signed_over_its_pae_and_not_over_its_payload():
    signer = Signer(bytes(range(32)))
    envelope = signer.envelope(b"payload")
    assert verify_envelope(envelope) == b"payload"
    assert verify_envelope(Envelope.parse(envelope.to_bytes())) == b"payload"
    verify_signature(signer.public, pae(b"payload"), envelope.signature)
    with pytest.raises(SignatureError):
        verify_envelope(compose_envelope(b"payload", signer.public, signer.sign(b"payload")))
    with pytest.raises(SignatureError):
        verify_envelope(compose_envelope(b"Payload", signer.public, envelope.signature))
    with pytest.raises(SignatureError):
        verify_envelope(compose_envelope(b"payload", Signer(bytes(32)).public, envelope.signature))


def test_a_signer_shows_no_seed():
    signer = Signer(bytes(range(100, 132)))
    try:
        raise RuntimeError
    except RuntimeError as err:
        text = "".join(traceback.TracebackException.from_exception(err, capture_locals=True).format())
    assert "signer = Signer(" in text
    for shown in (repr(signer), str(signer), text):
        assert bytes(range(100, 132)).hex() not in shown
        assert "defghij" not in shown
    with pytest.raises(ValueError, match="32 bytes"):
        Signer(bytes(31))
