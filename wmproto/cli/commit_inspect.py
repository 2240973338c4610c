"""``wmproto commit inspect``: what a key statement fixes; needs no secret and no log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wmproto.cli.options import PROFILE
from wmproto.cli.output import AnyPath, emit, json_option, read_input
from wmproto.cli.plain import plain

if TYPE_CHECKING:
    from wmproto.wire.dsse import Envelope

_SHOWN = 10  # class names that people get to see; --json has all


@click.command(short_help="Show what a key statement commits to.")
@click.argument("path", metavar="FOLDER|STATEMENT", type=AnyPath)
@json_option
def inspect(path: Path, as_json: bool) -> None:
    """Verify a key statement, and show what it commits to.

    It is the one in a key folder, or a file. Says nothing about the log: whether it is registered, its receipt shows.
    """
    from wmproto.commitment.statement import verify_key
    from wmproto.verdict.bound import Assumptions, false_claim_bound_log2

    key = verify_key(_statement(path), profile=PROFILE)
    z, assumed = key.z, Assumptions()
    bound = false_claim_bound_log2(key.bits, assumed, beacon=key.beacon)
    ghosts = PROFILE.ghost_one_in
    data = {
        "assumptions": {
            "B": assumed.B,
            "K": assumed.K,
            "Q_log2": assumed.Q.bit_length() - 1,
            "S_log2": assumed.S.bit_length() - 1,
        },
        "bits": key.bits,
        "bound_log2": bound,
        "classes": list(z.classes),
        "dtype": z.input.dtype,
        "ghost_one_in": ghosts,
        "key_id": key.key_id.hex(),
        "keyctx": z.keyctx.hex(),
        "kind": z.input.kind,
        "label_source": z.label_source,
        "labels": z.m,
        "leaves": z.N,
        "mode": z.mode,
        "owner": z.owner.hex(),
        "profile": z.profile,
        "root": z.R.hex(),
        "shape": list(z.input.shape),
        "start_grid": PROFILE.start_grid(z.N),
        "suite": z.suite,
    }
    names = ", ".join(plain(name) for name in z.classes[:_SHOWN]) + (", and so on" if z.m > _SHOWN else "")
    lines = [
        "a key statement, signed by its owner",
        f"  key      {key.key_id.hex()}",
        f"  owner    {z.owner.hex()}",
        f"  profile  {z.profile}, suite {z.suite}",
        f"  leaves   {z.N}, about one in {ghosts} a ghost; disputes start at multiples of {PROFILE.start_grid(z.N)}",
        f"  root     {z.R.hex()}",
        f"  input    {z.input.kind} of {'x'.join(map(str, z.input.shape))}, {z.input.dtype}",
        f"  classes  {len(z.classes)}: {names}",
        f"  labels   1 in {z.m} each, kept secret, from {z.label_source}",
        f"  context  {z.keyctx.hex()}",
        f"  bits     {key.bits} for a DEPENDENT; a false one: at most 2^{bound}",
    ]
    emit(as_json, data, lines)


def _statement(path: Path) -> Envelope:
    """The statement in a key folder, or in a file; raises as KeyFolder.statement, read_input and Envelope.parse do."""
    from wmproto.errors import FormatError
    from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope

    if path.is_dir():
        from wmproto.owner import KeyFolder

        return KeyFolder(path, profile=PROFILE).statement()
    data = read_input(path, what="key statement", limit=ENVELOPE_LIMIT)
    try:
        return Envelope.parse(data, what=str(path))
    except FormatError as err:
        raise FormatError(str(err), hint="give a key folder, or its statement.json") from err
