"""Something that listens where a witness should, and says whatever a test wants."""

import contextlib
import socket
import threading
import time


def http(status, body, content_type="text/plain"):
    """The bytes of an HTTP answer that closes the connection."""
    head = (
        f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    )
    return head.encode() + b"\r\n" + body


class BadWitness:
    """Answers the n-th request with ``says(n, request)``: bytes, or an iterator of bytes that may take its time.

    Asked for its last checkpoint it shows ``shows``, or nothing.
    """

    def __init__(self, says, tls=None, shows=b""):
        self.says, self.asked, self._tls, self.shows = says, [], tls, shows
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = False
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self):
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopped = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                talk, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(talk,), daemon=True).start()

    def _answer(self, talk):
        with contextlib.suppress(OSError), self._tls.wrap_socket(talk, server_side=True) if self._tls else talk as talk:
            data = b""
            while b"\r\n\r\n" not in data:
                data += talk.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            if head.startswith(b"GET "):
                talk.sendall(http(200 if self.shows else 404, self.shows))
                return
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            while len(body) < length:
                body += talk.recv(65536)
            self.asked.append(body)
            answer = self.says(len(self.asked), body)
            for part in (answer,) if isinstance(answer, bytes) else answer:
                if self._stopped:
                    return
                talk.sendall(part)


def dripping(start=b"HTTP/1.1 200 OK\r\nX: ", part=b"x", pause=0.05):
    """An answer that never ends, and always goes on before anybody loses patience with one wait."""
    yield start
    while True:
        time.sleep(pause)
        yield part


def silent(after=b""):
    """Nothing more, for ever."""
    yield after
    while True:
        time.sleep(0.05)
        yield b""


def faithful(witness):
    """Answers as a witness does, without a process of its own."""
    return lambda _n, body: (lambda a: http(a.status, a.body, a.content_type))(witness.add_checkpoint(body))
