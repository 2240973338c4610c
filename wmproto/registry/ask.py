"""Asking one witness over HTTP to cosign a checkpoint (c2sp.org/tlog-witness, add-checkpoint).

Believes nothing that comes back but a cosignature that verifies; what contradicts the log is handed on to be judged.
Whatever else the witness does, it costs a line that says so, at most 64 KiB of memory, and the deadline. Redirects and
proxies are not followed.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from wmproto.errors import FormatError, RegistryError, SignatureError
from wmproto.registry.add_checkpoint import write_add_checkpoint
from wmproto.registry.checkpoint import Checkpoint, parse_decimal
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.note import Note, parse_line
from wmproto.registry.writing import signature_line
from wmproto.wire.framing import sha256
from wmproto.wire.plain import plain

__all__ = ["DEADLINE_S", "Contradiction", "ask", "show_head"]

DEADLINE_S = 10.0  # seconds for all that is said to one witness
_ANSWER_LIMIT = 64 << 10  # bytes
_TRIES = 3  # the first, and two more with the size that the witness told
_SHOWN = 100  # characters of an answer that are quoted


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What a witness says that would make the log a fork, or its store old; nothing of it is verified.

    Attributes:
        says: In a few words.
        head: The head of that log that it shows when it is asked to prove it; empty if it shows none.
    """

    says: str
    head: bytes


def ask(
    url: str,
    witness: WitnessKey,
    note: bytes,
    *,
    old: int,
    prove: Callable[[int], tuple[bytes, ...]],
    deadline: float = DEADLINE_S,
) -> str | Contradiction:
    """Ask a witness for its cosignature of a checkpoint.

    Args:
        url: Its submission prefix, http or https.
        witness: Its key.
        note: The checkpoint as its log signed it; other lines in it do no harm.
        old: Size of the last checkpoint that the witness has probably cosigned, at most the checkpoint's; if it was
            another one, the witness tells, and is asked again.
        prove: ``prove(size)`` gives the consistency proof from that size to the checkpoint.
        deadline: Seconds for the whole exchange.

    Returns:
        The signature line with its newline, which verifies; or that the witness claims to have cosigned a larger tree
        of this log, or another past.

    Raises:
        RegistryError: It gives no valid cosignature; the message says why. Or what ``prove`` raises.
    """
    text = Note.parse(note).text
    checkpoint = Checkpoint.parse(text)
    size = checkpoint.size
    with _connection(url, deadline) as (connection, path):
        for _ in range(_TRIES):
            status, body = _post(connection, path, write_add_checkpoint(old, prove(old), note))
            if status == 200:
                return _cosignature(body, witness, text)
            if status == 422:
                says = f"it has cosigned another past of the log than these {size} entries"
                return Contradiction(says, _head(connection, path, checkpoint.origin))
            if status != 409:
                raise RegistryError(f"it answers {status}{_quoted(body)}")
            told = _size(body)
            if told > size:
                says = f"it has cosigned {told} entries of the log, and was shown {size}"
                return Contradiction(says, _head(connection, path, checkpoint.origin))
            if told == old:
                break
            old = told
    raise RegistryError("it does not stand by the size that it tells", hint="is it asked by another log of this name?")


def show_head(url: str, origin: str, *, deadline: float = DEADLINE_S) -> bytes:
    """Ask a witness for the last checkpoint of a log that it cosigned (reg-witness-9); nothing of it is verified.

    Raises:
        RegistryError: It shows none; the message says why.
    """
    with _connection(url, deadline) as (connection, path):
        if head := _head(connection, path, origin):
            return head
    raise RegistryError("it shows no checkpoint of this log")


def _cosignature(body: bytes, witness: WitnessKey, text: str) -> str:
    """The witness's line among those that it answered; lines of keys that we do not know mean nothing."""
    try:
        lines = [parse_line(line) for line in body.decode().removesuffix("\n").split("\n")]
        own = [raw for name, raw in lines if (name, raw[:4]) == (witness.name, witness.key_id)]
        for raw in own:
            witness.verify(text, raw[4:])
    except (UnicodeDecodeError, FormatError) as err:
        raise RegistryError("it answers something else than signature lines") from err
    except SignatureError as err:
        raise RegistryError("it answers with a cosignature that does not verify") from err
    if not own or not body.endswith(b"\n"):
        raise RegistryError(f"it answers without a line of {witness.name}")
    return signature_line(witness.name, own[0])


def _size(body: bytes) -> int:
    try:
        return parse_decimal(body.removesuffix(b"\n").decode("ascii"), "size")
    except (UnicodeDecodeError, FormatError) as err:
        raise RegistryError("it answers 409 without a size") from err


def _quoted(body: bytes) -> str:
    line = body.partition(b"\n")[0][:_SHOWN].decode("utf-8", "replace").strip()
    return f": {plain(line)}" if line else ""


def _head(connection: HTTPConnection, path: str, origin: str) -> bytes:
    """The witness's last checkpoint of a log (reg-witness-9), or nothing."""
    connection.request("GET", f"{path}/{sha256(origin.encode()).hex()}/checkpoint")
    status, body = _answer(connection)
    return body if status == 200 else b""


def _post(connection: HTTPConnection, path: str, body: bytes) -> tuple[int, bytes]:
    connection.request("POST", f"{path}/add-checkpoint", body, {"Content-Type": "text/plain; charset=utf-8"})
    return _answer(connection)


def _answer(connection: HTTPConnection) -> tuple[int, bytes]:
    response = connection.getresponse()
    answer = response.read(_ANSWER_LIMIT + 1)
    if len(answer) > _ANSWER_LIMIT:
        raise RegistryError(f"it answers more than {_ANSWER_LIMIT} bytes")
    return response.status, answer


class _Connection(HTTPConnection):
    """A connection that another thread can cut off, in the handshake too.

    HTTPConnection forgets its socket when an answer has no length, and HTTPSConnection shows it after the handshake.
    """

    def __init__(self, host: str, port: int | None, timeout: float, *, tls: bool) -> None:
        self.default_port = 443 if tls else 80
        super().__init__(host, port, timeout=timeout)
        self._tls, self._is_cut = tls, False
        self._last: socket.socket | None = None

    def connect(self) -> None:
        super().connect()
        if self._tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self._last = self.sock
        if self._is_cut:
            raise TimeoutError
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()

    def cut(self) -> None:
        """Let whoever waits for this connection go on with an error."""
        self._is_cut = True
        if self._last is not None:
            with suppress(OSError):
                # Not the method of SSLSocket, which forgets its state while another thread reads.
                socket.socket.shutdown(self._last, socket.SHUT_RDWR)


@contextmanager
def _connection(url: str, deadline: float) -> Iterator[tuple[HTTPConnection, str]]:
    """A connection that ends at the deadline whatever the other side does, and the path of the URL.

    A timeout of the socket bounds each wait, not their sum: whoever sends a byte now and then would hold us for hours.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii():
            raise ValueError
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError
        connection = _Connection(parts.hostname, parts.port, deadline, tls=parts.scheme == "https")
    except (ValueError, HTTPException):
        raise RegistryError("its URL in the policy is no http or https address") from None
    end = time.monotonic() + deadline
    watch = threading.Timer(deadline, connection.cut)
    watch.daemon = True
    watch.start()
    try:
        yield connection, parts.path.rstrip("/")
    except (OSError, HTTPException, ValueError, RegistryError) as err:  # ValueError: what http.client refuses to send
        if isinstance(err, TimeoutError) or time.monotonic() >= end:  # an answer that was cut off reads as many things
            raise RegistryError(f"it does not answer within {deadline:g} seconds") from err
        if isinstance(err, RegistryError):
            raise
        reason = (getattr(err, "strerror", None) or str(err) or type(err).__name__).lower()
        raise RegistryError(f"it cannot be reached, or speaks no HTTP: {plain(reason[:_SHOWN])}") from err
    finally:
        watch.cancel()
        connection.close()
