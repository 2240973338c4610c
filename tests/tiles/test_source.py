"""Where files come from: folders and web servers, honest, broken, slow and hostile."""

import gzip
import http.client
import socket
import time
import tracemalloc
import zlib
from urllib.parse import urlsplit

import pytest
from published import naive_files, objects, put
from serving import answering, ok, serve_static

from wmproto.errors import ConfigError, FormatError, NotFoundError, RegistryError
from wmproto.registry.fetch import WebSource
from wmproto.registry.source import FolderSource, open_source

SIZE = 300
FILES = naive_files(objects(range(SIZE)))
ENTRIES = [entry for entry, _ in objects(range(SIZE))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return put(tmp_path_factory.mktemp("served") / "log", FILES)


@pytest.fixture(scope="module")
def url(folder):
    with serve_static(folder) as url:
        yield url


@pytest.fixture(params=["folder", "web"])
def source(request, folder):
    found = open_source(str(folder) if request.param == "folder" else request.getfixturevalue("url"))
    yield found
    found.close()


def test_a_source_gives_every_file(source):
    assert source.checkpoint() == FILES["checkpoint"]
    tile = source.tile(0, 0) + source.tile(0, 1, 44)
    assert b"".join(tile) == FILES["tile/0/000"] + FILES["tile/0/001.p/44"]
    assert len(tile) == SIZE
    assert source.tile(1, 0, 1) == [FILES["tile/1/000.p/1"]]
    assert source.entries(0) + source.entries(1, 44) == ENTRIES
    for name, data in FILES.items():
        if name.startswith("statement"):
            assert source.statement(bytes.fromhex(name[-64:])) == data


def test_a_missing_file_is_one_error_and_the_source_goes_on(source):
    for ask in (lambda: source.tile(0, 2), lambda: source.entries(1, 45), lambda: source.statement(bytes(32))):
        with pytest.raises(NotFoundError) as err:
            ask()
        assert source.where in str(err.value)
    assert source.checkpoint() == FILES["checkpoint"]


@pytest.mark.parametrize("kind", ["folder", "web"])
def test_where_a_partial_tile_is_gone_the_full_one_is_taken(tmp_path, kind):
    put(tmp_path / "log", {name: data for name, data in FILES.items() if ".p/" not in name})
    with serve_static(tmp_path / "log") as url:
        source = open_source(url if kind == "web" else str(tmp_path / "log"))
        assert source.entries(0, 7) == ENTRIES[:7]
        assert b"".join(source.tile(0, 0, 9)) == FILES["tile/0/000"][: 9 * 32]
        source.close()


@pytest.mark.parametrize("name", ["tile/0/000", "tile/0/001.p/44", "tile/entries/000", "tile/entries/001.p/44"])
@pytest.mark.parametrize("change", [lambda d: d + b"x", lambda d: d[:-1], lambda d: b""], ids=["more", "less", "empty"])
def test_a_tile_of_another_length_is_damaged(tmp_path, name, change):
    source = FolderSource(put(tmp_path / "log", FILES | {name: change(FILES[name])}))
    with pytest.raises(RegistryError) as err:
        {"0": source.tile, "entries": source.entries}[name.split("/")[1]](**call(name))
    assert name in str(err.value) or "more than" in str(err.value)


def call(name):
    """Arguments that ask for the tile of that path."""
    index, width = (1, 44) if ".p" in name else (0, 256)
    level = {} if "entries" in name else {"level": 0}
    return level | {"index": index, "width": width}


def test_a_statement_with_another_hash_is_refused(tmp_path):
    name = next(name for name in FILES if name.startswith("statement"))
    source = FolderSource(put(tmp_path / "log", {name: FILES[name] + b" "}))
    with pytest.raises(FormatError, match="another hash"):
        source.statement(bytes.fromhex(name[-64:]))


def test_places_that_are_none(tmp_path):
    (tmp_path / "file").write_text("x")
    for place in ("ftp://log.example", str(tmp_path / "no"), str(tmp_path / "file"), "", "http://", "https:///x",
                  "http://user:secret@log.example/", "http://log.example/?q", "http://log.example/#f", "http://log.example:x/",
                  "http://log.example/a b", "http://log.example/\r\nX: y", "http://log.exämple/", "http://[::1/"):  # fmt: skip
        with pytest.raises(ConfigError):
            open_source(place)


# --- the server -------------------------------------------------------------------------------------------------


def get(url, path, method="GET"):
    """A request as it stands, which no client tidies up."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.putrequest(method, path, skip_accept_encoding=True)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


def test_the_server_gives_each_file_with_its_type_and_cache_rule(url):
    for name, data in list(FILES.items())[:9] + list(FILES.items())[-2:]:
        status, headers, body = get(url, f"/{name}")
        assert (status, body) == (200, data)
        kind = {"c": "text/plain; charset=utf-8", "t": "application/octet-stream", "s": "application/vnd.in-toto+json"}
        assert headers["content-type"] == kind[name[0]]
        if name == "checkpoint":
            assert headers["cache-control"] == "no-cache"
        else:
            assert "immutable" in headers["cache-control"]
        assert get(url, f"/{name}", "HEAD")[::2] == (200, b"")
    assert get(url, "/checkpoint", "POST")[0] == 405


@pytest.mark.parametrize(
    "path",
    ["/", "/../secret", "/tile/../../secret", "/%2e%2e/secret", "/tile/%2e%2e/%2e%2e/secret", "/..%2fsecret", "//secret",
     "/tile/0/000/../../../../secret", "/secret", "/.lock", "/tile", "/tile/0", "/checkpoint/", "/checkpoint%00", "/%00",
     "/tile/0/000%00.p/1", "/tile/0/002", "/checkpoint%0a", "/\\..\\secret", "/statement/ab/" + "ab" * 32],
)  # fmt: skip
def test_the_server_gives_nothing_else(url, folder, path):
    (folder.parent / "secret").write_text("of the operator")
    (folder / "secret").write_text("of the operator")
    status, headers, body = get(url, path)
    assert status in (400, 404)
    assert b"operator" not in body
    assert headers.get("cache-control", "no-store") == "no-store"
    (folder / "secret").unlink()


# --- servers that do not keep to it -----------------------------------------------------------------------------


def refused(*answers, match, deadline=5.0, limit=100, kind=RegistryError):
    """What a client says to a server's answers."""
    with answering(*answers) as (url, requests):
        source = WebSource(url, deadline=deadline)
        before = time.monotonic()
        with pytest.raises(kind, match=match) as err:
            source.read("checkpoint", limit)
        assert time.monotonic() - before < deadline + 2
        source.close()
        assert "\n" not in str(err.value)
    return requests


def test_only_the_path_below_the_prefix_is_asked_for():
    with answering(ok(b"x")) as (url, requests):
        assert WebSource(f"{url}/").read("checkpoint", 1) == b"x"
    assert requests[0].startswith(b"GET /log/checkpoint HTTP/1.1\r\n")


def test_no_answer_is_larger_than_the_file_may_be():
    refused(ok(bytes(101)), match="more than the 100")
    refused(ok(bytes(5000), length=1 << 50), match="more than the 100")
    refused(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(5000), match="more than the 100")
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    refused(chunked + b"1000\r\n" + bytes(0x1000), match="more than the 100")
    with answering(chunked + b"3\r\nabc\r\n0\r\n\r\n") as (url, _):
        assert WebSource(url).read("checkpoint", 3) == b"abc"
    with answering(b"HTTP/1.0 200 OK\r\n\r\nabc") as (url, _):
        assert WebSource(url).read("checkpoint", 3) == b"abc"


def test_gzip_is_unpacked_within_the_same_bounds():
    for body in (b"", b"abc", bytes(100), zlib.compress(bytes(range(256)))[:100]):
        with answering(ok(gzip.compress(body), "Content-Encoding: gzip")) as (url, requests):
            assert WebSource(url).read("checkpoint", 100) == body
        assert b"gzip" in requests[0]
    refused(ok(gzip.compress(bytes(101)), "Content-Encoding: gzip"), match="more than the 100")
    refused(ok(gzip.compress(bytes(100 << 20)), "Content-Encoding: gzip"), match="more than the 100", limit=100)
    bomb = gzip.compress(bytes(100 << 20))
    tracemalloc.start()
    refused(ok(bomb, "Content-Encoding: gzip"), match="more than the 200000", limit=200_000)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
    refused(ok(gzip.compress(b"abcdefgh" * 4)[:-9], "Content-Encoding: gzip"), match="does not give")
    refused(ok(b"no gzip at all", "Content-Encoding: gzip"), match="does not give")
    refused(ok(b"abc", "Content-Encoding: br"), match="coding")


def test_what_is_no_answer_is_an_error():
    refused(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", match="answers 302")
    refused(b"HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nsad", match="answers 500")
    refused(b"", match="does not give")
    refused(b"garbage\r\n\r\n", match="does not give")
    refused(ok(b"abc", length=9), match="does not give")
    refused(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, match="does not give")
    refused(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, match="does not give")
    refused(b"HTTP/1.1 404 No\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000), match="lacks", kind=NotFoundError)


def drip(start):
    """Send a byte now and then, for ever."""

    def answer(connection):
        connection.sendall(start)
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    "start",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", ok(b"", length=1000), b"HTTP/1.1 200 OK\r\n\r\n"],
    ids=["status", "head", "body", "end"],
)
def test_a_slow_server_costs_the_deadline_at_most(start):
    refused(drip(start), match="no whole answer|timed out", deadline=0.5, limit=2000)


def test_a_silent_server_and_a_closed_port():
    refused(lambda connection: time.sleep(1), match="no whole answer|timed out", deadline=0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(RegistryError, match="does not give"):
        WebSource(f"http://127.0.0.1:{port}").checkpoint()


def test_a_connection_is_kept_and_opened_again_when_the_server_has_closed_it():
    def twice(connection):
        connection.sendall(ok(b"one"))
        connection.recv(65536)
        connection.sendall(ok(b"two"))

    with answering(twice, ok(b"six")) as (url, requests):
        source = WebSource(url)
        assert [source.read("checkpoint", 9) for _ in range(3)] == [b"one", b"two", b"six"]
        assert len(requests) == 2, "two of three came over one connection"
        source.close()


def test_what_is_left_of_an_error_page_is_no_answer():
    page = b"HTTP/1.1 404 No\r\nContent-Length: 200000\r\n\r\n" + ok(b"not this") * 100

    def lacks(connection):
        connection.sendall(page.ljust(200_000 + 50))
        connection.recv(65536)

    with answering(lacks, ok(b"this")) as (url, requests):
        source = WebSource(url)
        with pytest.raises(NotFoundError):
            source.read("checkpoint", 9)
        assert source.read("checkpoint", 9) == b"this"
        assert len(requests) == 2
        source.close()
