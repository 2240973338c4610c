"""Secrets are bytes and text as any other, but nothing that prints a variable shows them."""

import hmac
import traceback

from wmproto.wire.framing import frame
from wmproto.wire.hidden import Hidden, HiddenText

RAW, TEXT = b"attack at dawn", "correct horse"


def test_they_behave_as_what_they_are():
    assert Hidden(RAW) == RAW
    assert {Hidden(RAW): 1}[RAW] == 1
    assert Hidden(RAW).hex() == RAW.hex()
    assert frame(Hidden(RAW), 1) == frame(RAW, 1)
    assert hmac.digest(Hidden(RAW), b"", "sha256") == hmac.digest(RAW, b"", "sha256")
    assert type(Hidden(RAW)[:3]) is bytes
    assert HiddenText(TEXT) == TEXT
    assert f"{HiddenText(TEXT)}" == TEXT


def test_what_shows_variables_shows_their_length_at_most():
    secret, words = Hidden(RAW), HiddenText(TEXT)
    assert [repr(secret), str(secret), f"{secret}", "%s" % secret] == ["<14 secret bytes>"] * 4  # noqa: UP031
    assert repr([words, {secret: words}]) == "[<secret text>, {<14 secret bytes>: <secret text>}]"
    try:
        raise ValueError(words[:0])
    except ValueError as err:
        told = "".join(traceback.TracebackException.from_exception(err, capture_locals=True).format())
    assert "secret = <14 secret bytes>" in told
    assert "words = <secret text>" in told
