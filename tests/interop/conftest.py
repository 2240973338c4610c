"""Go's own code for trees and notes, as a fixture; a real log to compare with it, and the same log by tlog-scales."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from debian import MODULES
from entry_samples import SEED, entry
from log_samples import LOG, NAME
from tlog_scales.signing import PlainEd25519Signer
from tlog_scales.writer import TilesWriter

from wmproto.registry.entry import entry_bytes, entry_leaf
from wmproto.registry.log import Log
from wmproto.registry.publish import publish
from wmproto.wire.profile import WMPROTO_1

PUBLISHED = (0, 1, 130, 256, 257, 520)  # sizes at which the log is published: partial tiles, full ones, two levels


@pytest.fixture(scope="session")
def go(tmp_path_factory):
    """Ask the program in checker.go several questions in one process; returns its answers in the same order."""
    home = tmp_path_factory.mktemp("go")
    offline = {"GO111MODULE": "off", "GOPATH": str(MODULES), "GOFLAGS": "", "CGO_ENABLED": "0"}
    build = ["go", "build", "-o", home / "checker", Path(__file__).with_name("checker.go")]
    subprocess.run(build, check=True, env=os.environ | offline | {"GOCACHE": str(home / "cache")})

    def ask(questions):
        text = "\n".join(json.dumps(question) for question in questions)
        done = subprocess.run([home / "checker"], input=text, capture_output=True, text=True, check=True, timeout=60)
        answers = [json.loads(line) for line in done.stdout.split("\n")[:-1]]
        assert len(answers) == len(questions) > 0, done.stderr
        return answers

    return ask


@pytest.fixture(scope="session")
def grown(tmp_path_factory):
    """A log of entries of all types by two signers; and what it published, by size, each time onto the last."""
    home = tmp_path_factory.mktemp("log")
    log, published = Log.create(home / "registry.db", NAME, LOG), {}
    for size in PUBLISHED:
        for n in range(len(log.entries()), size):
            log.append(*entry(n))
        publish(log, home / "published")
        published[size] = shutil.copytree(home / "published", home / str(size))
    yield log, published
    log.close()


@pytest.fixture(scope="session")
def log(grown):
    return grown[0]


@pytest.fixture(scope="session")
def published(grown):
    return grown[1]


@pytest.fixture(scope="session")
def entries(log):
    return [entry_bytes(WMPROTO_1, kind, envelope) for _, kind, envelope in log.entries()]


@pytest.fixture(scope="session")
def leaves(log):
    return [entry_leaf(WMPROTO_1, kind, envelope) for _, kind, envelope in log.entries()]


@pytest.fixture(scope="session")
def theirs(tmp_path_factory, entries):
    """The folders of a log of the same entries, name and key that tlog-scales has written, by size."""
    home = tmp_path_factory.mktemp("theirs")
    writer, written = TilesWriter.create(home / "log", NAME), {}
    for size in PUBLISHED[1:]:
        for data in entries[writer.size : size]:
            writer.add_leaf(data)
        writer.commit([PlainEd25519Signer(NAME, SEED)], gc=False)
        written[size] = shutil.copytree(home / "log", home / str(size))
    return written
