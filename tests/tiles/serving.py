"""Web servers for tests: the real one in a process of its own, and one that answers whatever a test says."""

import socket
import threading
from contextlib import contextmanager

from town import spawn


@contextmanager
def serve_static(folder):
    """``wmproto registry serve-static`` over a folder; gives its URL."""
    process = spawn("registry", "serve-static", folder, "--listen", "127.0.0.1:0", cwd=folder.parent)
    try:
        line = process.stdout.readline().decode()
        assert line.startswith("listening on http://127.0.0.1:"), (line, process.stderr.read())
        yield line.split()[-1]
    finally:
        process.terminate()
        process.communicate(timeout=20)


@contextmanager
def answering(*answers):
    """A server that gives each connection the next answer, bytes or a function of the socket; gives URL and requests."""
    requests, listener = [], socket.create_server(("127.0.0.1", 0))

    def work():
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    requests.append(connection.recv(65536))
                    answer(connection) if callable(answer) else connection.sendall(answer)
                except OSError:
                    pass  # the client has gone: that is what some tests want

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/log", requests
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=10)


def ok(body, *headers, length=None):
    """An answer 200 with that body."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
