"""Gets a log's files from a web server: one connection, kept open; every answer bounded in bytes and in time.

No redirects, no credentials, no cookies; gzip as tlog-tiles allows, unpacked within the same bounds.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from wmproto.errors import ConfigError, NotFoundError, RegistryError
from wmproto.registry.source import Source
from wmproto.wire.plain import plain

__all__ = ["DEADLINE_S", "WebSource"]

DEADLINE_S = 30.0  # of one exchange, connecting included
_PART = 64 << 10  # bytes of an error page
_FAILED = (OSError, http.client.HTTPException, zlib.error, UnicodeError)  # the last: of a host that is no name


class WebSource(Source):
    """A log behind a URL.

    Args:
        url: http or https, with host, maybe port and path; nothing else.
        deadline: Seconds that one exchange may take.
        clock: Seconds that never go back.

    Raises:
        ConfigError: Not such a URL.
    """

    def __init__(self, url: str, *, deadline: float = DEADLINE_S, clock: Callable[[], float] = time.monotonic) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or not url.isascii() or not url.isprintable() or " " in url or set(url) & set("@?#\\"):
            raise ConfigError(f"{url!r} is not the URL of a log", hint="as in https://log.example/1")
        self.where, self._prefix = url.rstrip("/"), parts.path.rstrip("/")
        self._deadline, self._clock = deadline, clock
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(host, port, timeout=deadline)
        self._connection.response_class = partial(_Answer, left=self._left)  # type: ignore[assignment]
        self._end = 0.0  # by the clock, of the exchange at hand

    def close(self) -> None:
        """Close the connection; it is opened anew when needed."""
        self._connection.close()

    def read(self, path: str, limit: int) -> bytes:
        """See Source.read."""
        self._end = self._clock() + self._deadline
        idle = self._connection.sock is not None
        try:
            try:
                return self._exchange(path, limit)
            except ConnectionError:
                if not idle:  # else the server may have closed an idle connection meanwhile: that is no failure
                    raise
                self.close()
                return self._exchange(path, limit)
        except NotFoundError:
            raise
        except RegistryError:
            self.close()
            raise
        except _FAILED as err:
            self.close()
            said = plain(str(err)[:200] or type(err).__name__)
            raise RegistryError(f"{self.where} does not give {path}: {said}", hint="try again later") from err

    def _exchange(self, path: str, limit: int) -> bytes:
        headers = {"Accept-Encoding": "gzip, identity", "User-Agent": "wmproto"}
        self._connection.request("GET", f"{self._prefix}/{path}", headers=headers)
        with closing(self._connection.getresponse()) as answer:
            try:
                return self._body(answer, path, limit)
            finally:
                if not answer.isclosed():  # what was not read is no next answer
                    self.close()

    def _body(self, answer: http.client.HTTPResponse, path: str, limit: int) -> bytes:
        if answer.status in (404, 410):
            answer.read(_PART)  # a short error page, so that the connection can be used again
            raise NotFoundError(f"{self.where} lacks {path}")
        if answer.status != 200:
            raise RegistryError(f"{self.where} answers {answer.status} for {path}", hint="redirects are not followed")
        coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in ("gzip", "identity"):
            raise RegistryError(f"{self.where} sends {path} in a coding that was not asked for")
        most = limit if coding == "identity" else limit + limit // 1000 + 64  # what cannot be compressed grows a little
        data = answer.read(most + 1)
        if len(data) <= most and answer.length:
            raise http.client.IncompleteRead(data, answer.length)
        if len(data) <= most and coding == "gzip":
            unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
            data = unpack.decompress(data, limit + 1)
            if len(data) <= limit and not unpack.eof:
                raise http.client.IncompleteRead(data)
        if len(data) > limit:
            raise RegistryError(f"{self.where}: {path} has more than the {limit} bytes allowed")
        return data

    def _left(self) -> float:
        """Seconds that the exchange still has; raises TimeoutError."""
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError(f"no whole answer in {self._deadline:g} seconds")
        return left


class _Timed(io.RawIOBase):
    """What a socket receives; each wait ends when the whole exchange must, however slowly the bytes drip."""

    def __init__(self, sock: socket.socket, left: Callable[[], float]) -> None:
        self._sock, self._left, self._raw = sock, left, sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, left: Callable[[], float], **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_Timed(sock, left))
