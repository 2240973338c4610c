"""Witnesses in processes of their own, started by the command itself, for every test that needs one."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from wmproto.crypto.secret import Secret
from wmproto.crypto.secretfile import seal
from wmproto.crypto.signer import Signer
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.heads import Heads

WMPROTO = Path(sys.executable).with_name("wmproto")
PASSPHRASE = b"one of three"
START_S = 60  # seconds until a witness must answer, on a machine that is busy


@dataclass
class RunningWitness:
    """A witness that answers.

    Attributes:
        name: Its name, also that of its files in ``home``: NAME.state, NAME.key.
        key: Its verifier key.
        url: Where it answers.
        process: The process.
    """

    name: str
    key: WitnessKey
    home: Path
    url: str
    process: subprocess.Popen

    @property
    def state(self) -> Path:
        return self.home / f"{self.name}.state"

    @property
    def said(self) -> str:
        """What it said on stderr."""
        return (self.home / f"{self.name}.stderr").read_text(encoding="utf-8")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it; returns its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(START_S)
        self.process.stdout.close()
        return code


def make_witness(home: Path, name: str) -> WitnessKey:
    """The files of a new witness, as witness new makes them, sealed cheaply; its key is always the same for a name."""
    seed = sha256(f"witness {name}".encode()).digest()
    key = WitnessKey(f"{name}.test", Signer(seed).public)
    secret = Secret("witness", seed, None)
    sealed = seal(secret, PASSPHRASE, random=lambda n: bytes(range(n)), ops=1, mem=8 << 10)
    (home / f"{name}.key").write_bytes(sealed)
    (home / "pass.txt").write_bytes(PASSPHRASE + b"\n")
    Heads.create(home / f"{name}.state", key).close()
    return key


def start_witness(home: Path, name: str, key: WitnessKey, policy: Path, listen: str = "127.0.0.1:0") -> RunningWitness:
    """Start a witness of the logs of a policy; it answers when this returns."""
    command = ("witness", "run", f"{name}.state", "--key", f"{name}.key", "--policy", policy, "--listen", listen)
    with (home / f"{name}.stderr").open("wb") as said:
        process = subprocess.Popen(
            [WMPROTO, *command, "--passphrase-file", "pass.txt"],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
    late = threading.Timer(START_S, process.kill)
    late.start()
    line = process.stdout.readline()
    late.cancel()
    if not line.startswith("listening on http://"):
        process.kill()
        raise AssertionError(f"no witness: {line!r} {(home / f'{name}.stderr').read_text(encoding='utf-8')}")
    return RunningWitness(name, key, home, line.split()[-1], process)


def policy_text(logs, witnesses: dict[str, tuple[WitnessKey, str]], quorum: str) -> bytes:
    """A policy: log keys, name -> (witness, URL or ""), and a quorum: none, all, any or a number of them."""
    lines = [*(f"log {key}" for key in logs), *(f"witness {n} {key} {url}" for n, (key, url) in witnesses.items())]
    if quorum != "none":
        lines.append(f"group enough {quorum} {' '.join(witnesses)}")
    lines.append(f"quorum {quorum if quorum == 'none' else 'enough'}")
    return "\n".join([*lines, ""]).encode()
