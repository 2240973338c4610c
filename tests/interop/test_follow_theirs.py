"""A log that tlog-scales writes is monitored and witnessed by wmproto, over HTTP too; and the other way round."""

import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from entry_samples import SEED, entry
from log_samples import LOG, NAME, signed, signer
from note_samples import W1
from tlog_scales import signing, tlog
from tlog_scales.backend import HttpBackend, LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.writer import TilesWriter

from wmproto.crypto.merkle import leaf_hash
from wmproto.errors import InclusionError
from wmproto.registry.add_checkpoint import write_add_checkpoint
from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.entry import entry_bytes
from wmproto.registry.fork import verify_fork
from wmproto.registry.heads import Heads
from wmproto.registry.memory import open_memory
from wmproto.registry.monitor import Monitor
from wmproto.registry.note import LogKey
from wmproto.registry.policy import LogPolicy
from wmproto.registry.source import open_source
from wmproto.registry.tiles import statement_path
from wmproto.registry.witness import Witness
from wmproto.wire.profile import WMPROTO_1

KEY = LogKey(NAME, LOG.public)
POLICY = LogPolicy.parse(f"log {KEY}\nquorum none\n".encode())
NOW = 1_800_000_000


class TheirLog:
    """A log in a folder, grown by their writer as it is meant to be used: partial tiles are deleted."""

    def __init__(self, folder):
        self.folder, self.writer = folder, TilesWriter.create(folder, NAME)

    def grow(self, *objects):
        for kind, envelope in objects:
            self.writer.add_leaf(entry_bytes(WMPROTO_1, kind, envelope))
            statement = self.folder / statement_path(envelope.payload_hash)  # the one thing that is not C2SP's
            statement.parent.mkdir(parents=True, exist_ok=True)
            statement.write_bytes(envelope.payload)
        self.writer.commit([signing.PlainEd25519Signer(NAME, SEED)])

    def request(self, old):
        """What they would post to a witness: their proof, and their checkpoint."""
        reader = TilesReader(LocalBackend(self.folder))
        proof = reader.get_consistency_proof(old, reader.get_checkpoint().size).node_hashes if old else []
        return write_add_checkpoint(old, tuple(proof), (self.folder / "checkpoint").read_bytes())


def look(place, state):
    source = open_source(str(place))
    with open_memory(state, [KEY]) as memory:
        update = Monitor(source, POLICY, memory).update()
    source.close()
    return update


@pytest.fixture
def served():
    """Serve a folder as any web server does; returns its URL."""
    servers = []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_args):
            pass

    def at(folder):
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield at
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_monitor_follows_their_log(tmp_path, served):
    theirs = TheirLog(tmp_path / "log")
    url = served(theirs.folder)
    for size in (1, 2, 255, 256, 257, 520):
        before = theirs.writer.size
        theirs.grow(*map(entry, range(before, size)))
        folder, web = look(theirs.folder, tmp_path / "state"), look(url, tmp_path / "web")
        assert folder == web
        assert (folder.seen.size, folder.new, folder.bad, folder.stale) == (size, size - before, (), False)
        assert folder.seen == verify_checkpoint((theirs.folder / "checkpoint").read_bytes(), KEY)


def test_a_reader_who_comes_late_takes_full_tiles_for_partial_ones(tmp_path):
    """Their writer deletes partial tiles, as tlog-tiles allows, while somebody reads by an older checkpoint."""
    theirs = TheirLog(tmp_path / "log")
    theirs.grow(*map(entry, range(130)))
    earlier = (theirs.folder / "checkpoint").read_bytes()
    theirs.grow(*map(entry, range(130, 300)))
    assert not (theirs.folder / "tile/0/000.p").exists()
    (theirs.folder / "checkpoint").write_bytes(earlier)
    update = look(theirs.folder, tmp_path / "state")
    assert (update.seen.size, update.new, update.bad) == (130, 130, ())


def test_the_monitor_names_what_is_no_entry_of_ours(tmp_path):
    """A log of anybody's has other entries, and no statements: the monitor follows it and says which count for none."""
    theirs = TheirLog(tmp_path / "log")
    theirs.grow(entry(0))
    theirs.writer.add_leaf(b"")
    theirs.writer.add_leaf(b"x" * 65_535)
    theirs.writer.add_leaf(entry_bytes(WMPROTO_1, *entry(9)))
    theirs.grow(entry(1))
    update = look(theirs.folder, tmp_path / "state")
    assert (update.new, [entry.index for entry in update.bad]) == (5, [1, 2, 3])
    assert update.bad[2].reason == "its statement is not to be had"


def test_the_monitor_convicts_them_of_a_fork(tmp_path):
    before, after = TheirLog(tmp_path / "before"), TheirLog(tmp_path / "after")
    before.grow(*map(entry, range(300)))
    after.grow(*map(entry, range(100)), ("key", signed(1000)), *map(entry, range(101, 310)))
    look(before.folder, tmp_path / "state")
    with pytest.raises(InclusionError, match="FORK"):
        look(after.folder, tmp_path / "state")
    [evidence] = (tmp_path / "state").glob("fork-*.json")
    fork = verify_fork(evidence.read_bytes(), KEY)
    assert (fork.older.size, fork.newer.size) == (300, 310)
    reader = TilesReader(LocalBackend(after.folder))
    reader.get_checkpoint()
    assert fork.root == reader.mth(0, 300)


def test_the_witness_cosigns_their_log_and_they_verify_its_line(tmp_path):
    theirs, heads = TheirLog(tmp_path / "log"), Heads.create(tmp_path / "state", W1)
    witness = Witness(heads, signer("witness1"), [KEY], lambda: NOW)
    old = 0
    for size in (1, 2, 130, 256, 520):
        theirs.grow(*map(entry, range(old, size)))
        answer = witness.add_checkpoint(theirs.request(old))
        assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8"), answer
        text = (theirs.folder / "checkpoint").read_text(encoding="utf-8") + answer.body.decode()
        checkpoint = tlog.Checkpoint.from_text(text)
        checkpoint.verify(signing.Vkey.from_string(str(W1)))
        checkpoint.verify(signing.Vkey.from_string(str(KEY)))
        assert signing.Ed25519CosignatureVerifier.get_timestamp(checkpoint.signatures[1].payload) == NOW
        old = size
    assert witness.add_checkpoint(theirs.request(256)).body == b"520\n"
    forked = TheirLog(tmp_path / "forked")
    forked.grow(*map(entry, range(1, 530)))
    assert witness.add_checkpoint(forked.request(520)).status == 422
    heads.close()


def test_they_read_our_log_from_our_server(published, leaves):
    command = [Path(sys.executable).with_name("wmproto"), "registry", "serve-static", published[520]]
    with subprocess.Popen([*command, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as server:
        try:
            backend = HttpBackend(server.stdout.readline().removeprefix("listening on ").rstrip("\n"))
            backend.session.trust_env = False  # no proxy
            reader = TilesReader(backend)
            checkpoint = reader.get_checkpoint()
            checkpoint.verify(signing.Vkey.from_string(str(KEY)))
            assert (checkpoint.size, checkpoint.root_hash) == (520, reader.calculate_root_hash())
            for index in (0, 300, 519):
                assert leaf_hash(reader.get_entry(index)) == leaves[index]
                reader.get_inclusion_proof(index, 520).check(leaves[index], checkpoint.root_hash)
            backend.session.close()
        finally:
            server.terminate()
    assert server.returncode == 0
