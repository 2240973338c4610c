"""Asking a witness: whatever answers, it ends in a valid line, or in one line that says why not, before the deadline."""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from contextlib import suppress

import pytest
from bad_witness import BadWitness, dripping, faithful, http, silent
from log_samples import signer
from witness_samples import (
    FORKED,
    LEAVES,
    NAME,
    NOW,
    WITNESS,
    WITNESS_KEY,
    naive_consistency,
    note,
    request,
    text_of,
    verify_line,
    witness_at,
)

from wmproto.errors import RegistryError
from wmproto.registry.ask import Contradiction, ask
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.writing import sign_cosignature

DAY = datetime.timedelta(days=1)
SIZE, TEXT = 8, text_of(note(8))
LINE = sign_cosignature(TEXT, WITNESS_KEY, WITNESS, NOW)
OTHER = WitnessKey("other.test", signer("other").public)
NAMESAKE = WitnessKey(NAME, signer("other").public)


def prove(old):
    return tuple(naive_consistency(old, LEAVES[:SIZE]))


def ask_it(url, old=0, deadline=5.0, of=None):
    return ask(url, WITNESS_KEY, of or note(SIZE), old=old, prove=prove, deadline=deadline)


def cosigned(text=TEXT, key=WITNESS_KEY, by=WITNESS, at=NOW):
    return sign_cosignature(text, key, by, at).encode()


def test_a_good_witness_is_asked_once_if_its_size_is_known_and_twice_if_not(tmp_path):
    witness = witness_at(tmp_path / "state")
    with BadWitness(faithful(witness)) as server:
        verify_line(ask_it(server.url), TEXT)
        verify_line(ask_it(server.url, old=SIZE), TEXT)
        assert server.asked == [request(0, 8), request(8, 8)]
        verify_line(ask_it(server.url, old=5), TEXT)
        assert server.asked[2:] == [request(5, 8), request(8, 8)]


def test_the_path_of_its_url_is_kept(tmp_path):
    def says(_n, _body):
        return http(200, LINE.encode())

    with BadWitness(says) as server:
        for path in ("", "/", "/w/1", "/w/1/"):
            assert ask_it(server.url + path) == LINE


def test_a_witness_with_a_larger_tree_or_another_past_is_told_from_one_that_fails(tmp_path):
    ahead, forked = witness_at(tmp_path / "ahead"), witness_at(tmp_path / "forked")
    ahead.add_checkpoint(request(0, 9))
    forked.add_checkpoint(request(0, 7, FORKED))
    for witness, words in ((ahead, "it has cosigned 9 entries"), (forked, "it has cosigned another past")):
        for shows in (b"", b"what it shows is for others to judge"):
            with BadWitness(faithful(witness), shows=shows) as server:
                found = ask_it(server.url)
            assert isinstance(found, Contradiction)
            assert (found.says.startswith(words), found.head) == (True, shows)


GARBAGE = {
    "nothing": b"",
    "a newline": b"\n",
    "text": b"thanks\n",
    "a page": b"<html>" + b"x" * 1000,
    "not UTF-8": b"\xff\xfe\n",
    "no newline": LINE.encode()[:-1],
    "two newlines": LINE.encode() + b"\n",
    "CRLF": LINE.encode()[:-1] + b"\r\n",
    "its line, and text": LINE.encode() + b"hello\n",
    "text, and its line": b"hello\n" + LINE.encode(),
    "a stranger's line": cosigned(key=OTHER, by=signer("other")),
    "a namesake's line": cosigned(key=NAMESAKE, by=signer("other")),
    "its line of another root": cosigned(text_of(note(8, FORKED))),
    "its line of another size": cosigned(text_of(note(7))),
    "its line of a longer text": cosigned(TEXT + "\n" + note(8).decode().split("\n\n")[1]),
    "a blank line before": b"\n" + cosigned(TEXT + "\n" + note(8).decode().split("\n\n")[1]),
    "another time": cosigned().replace(cosigned()[60:64], b"AAAA"),
    "time 0": b"",
    "a good and a bad line of its own": LINE.encode() + cosigned(text_of(note(7))),
    "the log's own line": note(8).split(b"\n\n")[1],
    "other key id, same name": LINE.encode().replace(LINE.encode()[20:28], b"AAAAAAAA"),
    "short": LINE.encode()[:40] + b"\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_no_cosignature(name):
    with BadWitness(lambda _n, _b: http(200, GARBAGE[name])) as server, pytest.raises(RegistryError) as err:
        ask_it(server.url)
    assert type(err.value) is RegistryError
    assert str(err.value).startswith("it answers ")
    assert len(server.asked) == 1


def test_lines_of_strangers_mean_nothing():
    both = cosigned(key=OTHER, by=signer("other")) + LINE.encode() + cosigned(key=NAMESAKE, by=signer("other"))
    with BadWitness(lambda _n, _b: http(200, both)) as server:
        assert ask_it(server.url) == LINE
    twice = LINE + sign_cosignature(TEXT, WITNESS_KEY, WITNESS, NOW + 1)
    with BadWitness(lambda _n, _b: http(200, twice.encode())) as server:
        assert ask_it(server.url) == LINE


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (http(400, b"old size: not a canonical decimal\nmore"), "^it answers 400: old size: not a canonical decimal$"),
        (http(404, b""), "^it answers 404$"),
        (http(403, "\u202ered\x1b[31m\n".encode()), r"^it answers 403: \\u202ered\\x1b\[31m$"),
        (http(500, b"x" * 5000), "^it answers 500: x{100}$"),
        (http(302, b"").replace(b"\r\n\r\n", b"\r\nLocation: http://127.0.0.1:1/\r\n\r\n"), "^it answers 302$"),
        (http(200, b"x" * (64 << 10) + b"x"), "more than 65536 bytes"),
        (http(409, b"\xd9\xa3\n"), "409 without a size"),
        (http(409, b"+7\n"), "409 without a size"),
        (http(409, b"-1\n"), "409 without a size"),
        (http(409, b"9" * 5000), "409 without a size"),
        (http(409, b""), "409 without a size"),
        (http(409, b"0\n"), "does not stand by"),
        (b"SSH-2.0-OpenSSH\r\n", "speaks no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, "speaks no HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * (1 << 20), "speaks no HTTP|cannot be reached"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf", "something else than"),
        (b"", "speaks no HTTP"),
    ],
)
def test_every_refusal_is_one_line(says, words):
    with BadWitness(lambda _n, _b: says) as server, pytest.raises(RegistryError, match=words) as err:
        ask_it(server.url)
    assert type(err.value) is RegistryError
    assert "\n" not in str(err.value)
    assert len(server.asked) == 1


def test_a_witness_that_never_stands_by_its_size_is_asked_three_times():
    with BadWitness(lambda n, _b: http(409, b"%d\n" % n)) as server, pytest.raises(RegistryError, match="stand by"):
        ask_it(server.url)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "url",
    ["ftp://w", "w.example", "http://", "https:///x", "http://w:99999", "http://w:x", "http://a@w", "http://w/?q",
     "http://w/#f", "file:///etc/passwd", "", "http://\udce9", "http://w/\u00e9", "http://[::1"],
)  # fmt: skip
def test_what_is_no_address_is_not_asked(url):
    with pytest.raises(RegistryError, match="no http or https address"):
        ask_it(url)


def test_a_path_that_http_does_not_know_is_refused():
    with pytest.raises(RegistryError, match="cannot be reached"):
        ask_it("http://127.0.0.1:1/a\x7fb")


def test_a_port_where_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(RegistryError, match="cannot be reached, or speaks no HTTP: connection refused"):
        ask_it(f"http://127.0.0.1:{port}")
    with pytest.raises(RegistryError, match="cannot be reached"):
        ask_it("http://no-such-host.invalid")


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """A context of a server with a certificate of its own for 127.0.0.1, and the certificate's file."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - DAY, now + DAY)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = builder.add_extension(names, critical=True).sign(key, hashes.SHA256())
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, file


def test_https_is_asked_only_with_a_certificate_that_is_trusted_for_its_name(certified, monkeypatch):
    context, file = certified
    with BadWitness(lambda _n, _b: http(200, LINE.encode()), tls=context) as server:
        with pytest.raises(RegistryError, match=r"cannot be reached.*certificate"):
            ask_it(server.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert ask_it(server.url) == LINE
        with pytest.raises(RegistryError, match=r"cannot be reached.*certificate"):
            ask_it(server.url.replace("127.0.0.1", "localhost"))
        with pytest.raises(RegistryError):
            ask_it(server.url.replace("https:", "http:"))
        assert len(server.asked) == 1
    drip = BadWitness(lambda _n, _b: dripping(), tls=context)
    with drip as server, pytest.raises(RegistryError, match="does not answer within"):
        ask_it(server.url, deadline=0.5)


SLOW = {
    "silent": lambda: silent(),
    "a drip in the header": lambda: dripping(),
    "a drip of headers": lambda: dripping(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "a drip in the body": lambda: dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"),
    "a drip without a length": lambda: dripping(b"HTTP/1.1 200 OK\r\n\r\n"),
    "a drip of chunks": lambda: dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "continue and continue": lambda: dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("name", SLOW)
def test_the_deadline_is_for_the_whole_exchange(name):
    with BadWitness(lambda _n, _b: SLOW[name]()) as server:
        start = time.monotonic()
        with pytest.raises(RegistryError, match=r"^it does not answer within 0\.5 seconds$"):
            ask_it(server.url, deadline=0.5)
        assert 0.4 < time.monotonic() - start < 2.5


def test_the_deadline_is_for_all_tries_together():
    def says(n, _body):
        time.sleep(0.4)
        return http(409, b"%d\n" % n)

    with BadWitness(says) as server:
        start = time.monotonic()
        with pytest.raises(RegistryError, match="does not answer within 1 seconds"):
            ask_it(server.url, deadline=1.0)
        assert time.monotonic() - start < 3


def test_a_handshake_that_never_ends():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        start = time.monotonic()
        with pytest.raises(RegistryError, match="does not answer"):
            ask_it(f"https://127.0.0.1:{listener.getsockname()[1]}", deadline=0.5)
        assert time.monotonic() - start < 3


def test_a_handshake_that_goes_on_for_ever():
    def says():
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port.append(listener.getsockname()[1])
            talk, _ = listener.accept()
            with talk, suppress(OSError):
                talk.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB
                while True:
                    time.sleep(0.05)
                    talk.sendall(b"x")

    port = []
    thread = threading.Thread(target=says, daemon=True)
    thread.start()
    while not port:
        time.sleep(0.01)
    start = time.monotonic()
    with pytest.raises(RegistryError, match="does not answer"):
        ask_it(f"https://127.0.0.1:{port[0]}", deadline=0.5)
    assert time.monotonic() - start < 3
    thread.join(5)
    assert not thread.is_alive()


def test_no_thread_is_left_behind():
    before = threading.active_count()
    with BadWitness(lambda _n, _b: http(200, LINE.encode())) as server:
        for _ in range(5):
            ask_it(server.url)
    time.sleep(0.3)
    assert threading.active_count() <= before + 1


def test_a_checkpoint_with_lines_of_witnesses_may_be_shown(tmp_path):
    witness = witness_at(tmp_path / "state")
    with BadWitness(faithful(witness)) as server:
        verify_line(ask_it(server.url, of=note(8) + LINE.encode() + cosigned(key=OTHER, by=signer("other"))), TEXT)
