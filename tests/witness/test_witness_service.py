"""A witness over HTTP: ``wmproto witness run`` in a process of its own."""

import http.client
import re
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
from running import make_witness, policy_text, start_witness
from witness_samples import LOG_KEY, ORIGIN, note, request, rows, size_of, text_of, verify_line

from wmproto.registry.add_checkpoint import ADD_CHECKPOINT_LIMIT

HASH = sha256(ORIGIN.encode()).hexdigest()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    home = tmp_path_factory.mktemp("service")
    (home / "policy").write_bytes(policy_text([LOG_KEY], {}, "none"))
    return home, make_witness(home, "w")


@pytest.fixture(scope="module")
def running(files):
    home, key = files
    witness = start_witness(home, "w", key, home / "policy")
    yield witness
    if witness.process.poll() is None:
        assert witness.stop() == 0
    assert witness.said == ""


def connection(witness, timeout=30):
    parts = urlsplit(witness.url)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)


def send(witness, method, path, body=None, headers=None):
    talk = connection(witness)
    try:
        talk.request(method, path, body, headers or {})
        answer = talk.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        talk.close()


def raw(witness, data, timeout=10):
    """Send bytes as they are; all that comes back until the other side closes or says no more."""
    parts = urlsplit(witness.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=timeout) as talk:
        talk.sendall(data)
        talk.shutdown(socket.SHUT_WR)
        got = b""
        while chunk := talk.recv(65536):
            got += chunk
        return got


def test_it_answers_as_the_witness_does(running):
    assert send(running, "GET", f"/{HASH}/checkpoint")[0] == 404
    status, headers, body = send(running, "POST", "/add-checkpoint", request(0, 5))
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    verify_line(body.decode(), text_of(note(5)), running.key)
    status, headers, shown = send(running, "GET", f"/{HASH}/checkpoint")
    assert (status, shown) == (200, note(5) + body)
    status, headers, told = send(running, "POST", "/add-checkpoint", request(0, 7))
    assert (status, headers["content-type"], told) == (409, "text/x.tlog.size", b"5\n")
    assert send(running, "POST", "/add-checkpoint", request(5, 5, root=bytes(32)))[0] == 422
    assert send(running, "POST", "/add-checkpoint", b"hello")[0] == 400
    assert "server" not in headers
    assert size_of(running.state) == 5


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/add-checkpoint", 405),
        ("PUT", "/add-checkpoint", 405),
        ("DELETE", f"/{HASH}/checkpoint", 405),
        ("POST", f"/{HASH}/checkpoint", 405),
        ("POST", "/add-checkpoint/", 404),
        ("POST", "/", 404),
        ("GET", "/", 404),
        ("GET", "/../../etc/passwd/checkpoint", 404),
        ("GET", f"/{HASH.upper()}/checkpoint", 404),
        ("GET", f"/{HASH}/checkpoint/more", 404),
        ("POST", "/sign-subtree", 404),
    ],
)
def test_nothing_else_is_there(running, method, path, status):
    assert send(running, method, path, b"" if method == "POST" else None)[0] in (status, 307)


def test_a_body_is_refused_by_the_length_it_tells(running):
    start = time.monotonic()
    told = f"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {10**12}\r\n\r\n".encode()
    assert raw(running, told + b"old 0\n").startswith(b"HTTP/1.1 413 ")
    assert time.monotonic() - start < 5


def test_a_body_is_refused_while_it_streams(running):
    """No length is told, and it does not end: it must be refused in the middle."""
    parts, sent = urlsplit(running.url), 0
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as talk:
        talk.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(OSError):  # noqa: PT012  the connection ends while we send
            while sent < 100 << 20:
                talk.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                sent += 4096
    assert sent < 20 << 20  # what the buffers of the two sides take


def test_the_largest_body_is_read(running):
    assert send(running, "POST", "/add-checkpoint", b"x" * ADD_CHECKPOINT_LIMIT)[0] == 400
    assert send(running, "POST", "/add-checkpoint", b"x" * (ADD_CHECKPOINT_LIMIT + 1))[0] == 413
    chunks = iter([request(0, 9)[:50], request(0, 9)[50:]])
    assert send(running, "POST", "/add-checkpoint", chunks)[0] == 409


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /add-checkpoint HTTP/1.1\r\n\r\n",
        b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: -1\r\n\r\n",
        b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nold 0\n",
        b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz",
        b"GET /" + b"a" * 200_000,
    ],
    ids=["TLS", "version", "no host", "negative", "two lengths", "length and chunks", "endless"],
)
def test_what_is_no_http_costs_nothing(running, data):
    before = rows(running.state)
    try:
        answer = raw(running, data)
    except OSError:
        answer = b""  # it hung up while we were talking
    assert not answer or re.match(rb"HTTP/1.1 4\d\d ", answer)
    assert rows(running.state) == before


def test_one_connection_carries_many_requests(running):
    talk = connection(running)
    for _ in range(5):
        talk.request("POST", "/add-checkpoint", request(0, 9))
        answer = talk.getresponse()
        assert (answer.status, answer.read()) == (409, b"%d\n" % size_of(running.state))
        assert talk.sock is not None
    talk.close()


def test_an_idle_connection_and_half_a_request_hold_nobody_up(running):
    parts = urlsplit(running.url)
    held = [socket.create_connection((parts.hostname, parts.port)) for _ in range(50)]
    for one in held[:25]:
        one.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 500\r\n\r\nold")
    start = time.monotonic()
    assert send(running, "GET", f"/{HASH}/checkpoint")[0] in (200, 404)
    assert time.monotonic() - start < 5
    for one in held:
        one.close()


def test_many_ask_at_once_and_one_wins(running):
    """Everybody sends the same step: whoever is first gets a cosignature, the others learn the new size."""
    size, answers = size_of(running.state), []

    def ask():
        answers.append(send(running, "POST", "/add-checkpoint", request(size, size + 4))[0])

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 11
    assert size_of(running.state) == size + 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_it_is_asked_to_and_goes_on_where_it_was(tmp_path, number):
    (tmp_path / "policy").write_bytes(policy_text([LOG_KEY], {}, "none"))
    witness = start_witness(tmp_path, "w", make_witness(tmp_path, "w"), tmp_path / "policy")
    assert send(witness, "POST", "/add-checkpoint", request(0, 7))[0] == 200
    idle = connection(witness)
    idle.connect()
    assert witness.stop(number) == 0
    assert witness.said == ""
    idle.close()
    again = start_witness(tmp_path, "w", witness.key, tmp_path / "policy")
    assert send(again, "POST", "/add-checkpoint", request(0, 9))[2] == b"7\n"
    assert send(again, "POST", "/add-checkpoint", request(7, 9))[0] == 200
    assert again.stop(number) == 0


def test_a_state_that_fails_is_told_to_the_operator_and_not_to_the_sender(tmp_path):
    import sqlite3
    from contextlib import closing

    (tmp_path / "policy").write_bytes(policy_text([LOG_KEY], {}, "none"))
    witness = start_witness(tmp_path, "w", make_witness(tmp_path, "w"), tmp_path / "policy")
    assert send(witness, "POST", "/add-checkpoint", request(0, 5))[0] == 200
    with closing(sqlite3.connect(witness.state)) as db:
        db.execute("UPDATE logs SET note = x'00'")
        db.commit()
    status, _, body = send(witness, "POST", "/add-checkpoint", request(5, 7))
    assert (status, body) == (500, b"the state of this witness fails\n")
    assert witness.stop() == 0
    assert witness.said.startswith("wmproto: error: the witness's state w.state is damaged")
    assert witness.said.count("\n") == 1


def test_connections_that_say_nothing_do_not_use_up_the_witness(three):
    """More of them than may be open at once: they are closed, and an honest log is answered again."""
    witness = three.witnesses["w3"]
    host, port = witness.url.removeprefix("http://").split(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(260)]
    try:
        idle[0].sendall(b"GET /x/checkpoint HTTP/1.1\r\nHost: ")
        start, status = time.monotonic(), 503
        while status == 503 and time.monotonic() - start < 30:
            time.sleep(0.5)
            with pytest.raises(urllib.error.HTTPError) as err:
                urllib.request.urlopen(witness.url + "/x/checkpoint", timeout=10)
            status = err.value.code
        assert status == 404
        assert time.monotonic() - start > 5, "were there too few connections to begin with?"
        for one in idle:
            one.settimeout(20)
            assert one.recv(1000) == b""
    finally:
        for one in idle:
            one.close()


def test_a_second_request_that_is_never_finished_is_not_waited_for(three):
    host, port = three.witnesses["w3"].url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=25) as talk:
        talk.sendall(b"GET /x/checkpoint HTTP/1.1\r\nHost: a\r\n\r\n")
        assert talk.recv(1000).startswith(b"HTTP/1.1 404")
        talk.sendall(b"GET /x/checkp")
        start, last = time.monotonic(), b"-"
        while last:
            last = talk.recv(1000)
        assert 8 < time.monotonic() - start < 20
