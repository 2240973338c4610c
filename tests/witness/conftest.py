"""Three witnesses of sixty logs, for tests that take a fresh log each; started once."""

from dataclasses import dataclass
from itertools import count

import pytest
from log_samples import signed, signer
from running import RunningWitness, make_witness, policy_text, start_witness

from wmproto.registry.log import Log
from wmproto.registry.note import LogKey
from wmproto.registry.policy import LogPolicy

NAMES = ("w1", "w2", "w3")


@dataclass
class Three:
    """Three witnesses, and which of the logs that they follow nobody has used yet."""

    witnesses: dict[str, RunningWitness]
    unused: "count[int]"

    def log(self, folder, entries=0):
        """A new log that they follow; returns it and its signer."""
        number = next(self.unused)
        by = signer(f"log {number}")
        log = Log.create(folder / f"log{number}.db", f"log.test/{number}", by)
        for n in range(entries):
            log.submit("key", signed(n))
        return log

    def policy(self, log, quorum="2", urls=None):
        """A policy of one log and the three; ``urls`` replaces URLs by name."""
        where = {name: w.url for name, w in self.witnesses.items()} | (urls or {})
        listed = {name: (w.key, where[name]) for name, w in self.witnesses.items()}
        return LogPolicy.parse(policy_text([log.key], listed, quorum))


@pytest.fixture(scope="session")
def three(tmp_path_factory):
    home = tmp_path_factory.mktemp("three")
    logs = [LogKey(f"log.test/{n}", signer(f"log {n}").public) for n in range(60)]
    (home / "policy").write_bytes(policy_text(logs, {}, "none"))
    running = {name: start_witness(home, name, make_witness(home, name), home / "policy") for name in NAMES}
    yield Three(running, count())
    for witness in running.values():
        assert witness.stop() == 0, witness.said
        assert witness.said == ""
