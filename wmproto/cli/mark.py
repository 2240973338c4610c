"""``wmproto mark``: train a marked model, or check one for the mark. Needs the extra torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wmproto.cli.options import (
    PROFILE,
    OrderedGroup,
    check_log_of,
    check_new,
    check_parent,
    need_torch,
    open_key,
    open_log,
    passphrase_option,
    progress,
)
from wmproto.cli.output import AnyPath, LogPlace, emit, json_option, read_input
from wmproto.errors import ConfigError

if TYPE_CHECKING:
    from wmproto.marking import Retention


@click.group(cls=OrderedGroup)
def mark() -> None:
    """Train a marked model, or check one for the mark."""


@mark.command(short_help="Train the small network with the marks of a key.")
@click.argument("folder", type=AnyPath)
@click.option("--key", "key_path", type=AnyPath, required=True, help="The owner's secret file.")
@click.option("--data", type=AnyPath, required=True, help="Training pictures: .npz with x (uint8 NHWC) and y.")
@click.option("--out", type=AnyPath, required=True, help="New file for the marked weights.")
@click.option("--epochs", type=click.IntRange(1, 10000), default=25, show_default=True, help="Times over all pictures.")
@click.option(
    "--rows",
    type=click.IntRange(1, 4096),
    default=32,
    show_default=True,
    help="Trigger rows added to each batch of 64.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 2),
    metavar="INTEGER",
    required=True,
    help="0 or more; everything random in training follows from it.",
)
@click.option(
    "--savepoint",
    "savepoint_path",
    type=AnyPath,
    help="Where an unfinished training is kept, epoch by epoch (default: OUT.savepoint).",
)
@passphrase_option
@json_option
def train(
    folder: Path,
    key_path: Path,
    data: Path,
    out: Path,
    epochs: int,
    rows: int,
    seed: int,
    savepoint_path: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Train the small network on your pictures with the marks of the activated key in FOLDER.

    If it is cut off, give the same command again: it goes on after the last whole epoch, to the same bytes.

    For a network of your own, wrap your loader with wmproto.marking.MarkedLoader instead (examples/own_loop.py).
    """
    from wmproto.owner import KeyFolder
    from wmproto.release.modelfile import read_model
    from wmproto.wire.writing import write_new

    need_torch()
    kept_at = savepoint_path or out.with_name(f"{out.name}.savepoint")
    if out.exists() and kept_at.exists():  # cut off between the last two steps
        raise ConfigError(f"{out} exists already", hint=f"if it came of {kept_at}, it is whole: remove the latter")
    check_new(out)
    check_parent(kept_at)
    if kept_at == out:
        raise ConfigError(f"{out} is given twice", hint="each file needs a name of its own")
    home = KeyFolder(folder, profile=PROFILE)
    home.activation()
    if not data.is_file():
        raise ConfigError(
            f"there is no file of pictures at {data}", hint="numpy.savez('data.npz', x=pictures, y=labels)"
        )
    import torch

    from wmproto.marking import MarkedLeaves, MarkedLoader, self_check
    from wmproto.models import (
        Batches,
        EscrowSuspect,
        Savepoint,
        load_npz,
        save_model,
        small_cnn,
        standardisation,
        trained,
    )

    pictures = load_npz(data)
    z = home.key().z
    if pictures.x.shape[1:] != z.input.shape:
        got, want = ("x".join(map(str, shape)) for shape in (pictures.x.shape[1:], z.input.shape))
        raise ConfigError(
            f"the pictures are {got}, the key's {want}", hint="height x width x channels must be those of the key"
        )
    if pictures.classes > len(z.classes):
        raise ConfigError(
            f"the pictures have {pictures.classes} classes, the key {len(z.classes)}",
            hint="labels count from 0, in the order of the key's class names",
        )
    torch.set_num_threads(1)  # a network this small gains nothing from more, and the same seed gives the same bytes
    same: dict[str, str | int] = {
        "key": home.key().key_id.hex(),
        "data": pictures.digest().hex(),
        "seed": seed,
        "rows": rows,
    }
    savepoint = Savepoint(kept_at, same | {"number of epochs": epochs})
    if done := savepoint.done():
        click.echo(f"wmproto: going on after epoch {done} of {epochs} ({kept_at})", err=True)
    secret = open_key(key_path, passphrase_file, "owner")
    with progress("recomputing the leaves") as tick:
        leaves = MarkedLeaves.of(home.activated(secret, tick))
    architecture = small_cnn(z.input.shape, len(z.classes), *standardisation(pictures.x))
    loader = MarkedLoader(Batches(pictures, seed=seed), leaves, seed=seed + 1, rows_per_batch=rows)
    with progress("training") as tick:
        network = trained(architecture, loader, seed=seed, epochs=epochs, progress=tick, savepoint=savepoint)
    model = save_model(network, architecture)
    write_new(out, model, mode=0o644)
    savepoint.remove()
    suspect = EscrowSuspect(model, architecture, profile=PROFILE)
    kept = self_check(suspect.answer, leaves)
    digest = read_model(model, profile=PROFILE).digest.hex()
    emit(
        as_json,
        {"hits": kept.hits, "marked": kept.total, "model": digest, "out": str(out)},
        [f"model {digest}", f"marks kept: {kept.hits} of {kept.total}"],
    )


@mark.command(short_help="Count how many marks a model keeps.")
@click.argument("folder", type=AnyPath)
@click.option("--key", "key_path", type=AnyPath, required=True, help="The owner's secret file.")
@click.option("--model", type=AnyPath, required=True, help="The weights to check: a model file, or an int8 copy.")
@click.option("--registry", "database", type=LogPlace, help="The log, to see which leaves disputes have taken.")
@passphrase_option
@json_option
def check(
    folder: Path, key_path: Path, model: Path, database: Path | str | None, passphrase_file: Path | None, as_json: bool
) -> None:
    """Count privately how many marks of the activated key in FOLDER a model keeps, and what verdict to expect.

    The model is asked exactly as a dispute would ask it, an int8 copy as the float32 weights that it stands for.
    Nothing is opened or logged.
    """
    from wmproto.owner import KeyFolder
    from wmproto.owner.activated import check_model
    from wmproto.release.modelfile import INT8_KEY, read_metadata, read_model
    from wmproto.release.tensors import WEIGHTS_LIMIT

    need_torch()
    home = KeyFolder(folder, profile=PROFILE)
    home.activation()
    data = read_input(model, what="model", limit=WEIGHTS_LIMIT)
    int8 = INT8_KEY in read_metadata(data, what="model")
    if int8:
        from wmproto.models import float32_copy

        data = float32_copy(data)
    loaded = read_model(data, profile=PROFILE)
    key = home.key()
    check_model(key, loaded)
    left = None
    if database is not None:
        from wmproto.owner.usage import usage

        log = open_log(database)
        check_log_of(home, log)
        left = usage(key, [(kind, envelope) for _, kind, envelope in log.entries()], log.vkey).left
    secret = open_key(key_path, passphrase_file, "owner")
    with progress("recomputing the leaves") as tick:
        active = home.activated(secret, tick)
    from wmproto.marking import MarkedLeaves, self_check  # late: torch takes seconds to load
    from wmproto.models import EscrowSuspect

    suspect = EscrowSuspect(loaded.data, loaded.architecture, profile=PROFILE)
    kept = self_check(suspect.answer, MarkedLeaves.of(active))
    classes = len(key.z.classes)
    expected, words = _expected(kept, classes, key.z.N, left)
    emit(
        as_json,
        {
            "classes": classes,
            "hits": kept.hits,
            "int8": int8,
            "marked": kept.total,
            "model": loaded.digest.hex(),
            **expected,
        },
        [
            *(["an int8 copy: asked as the float32 weights that it stands for"] if int8 else []),
            f"marks kept: {kept.hits} of {kept.total} (luck alone: about 1 in {classes})",
            words,
        ],
    )


def _expected(kept: Retention, classes: int, leaves: int, left: int | None) -> tuple[dict[str, object], str]:
    """The verdict of a dispute over all leaves that are left if they keep as much as those asked, and a line on it.

    Args:
        kept: What was counted; at least one leaf.
        classes: C, the number of labels.
        leaves: N.
        left: Leaves that no dispute has taken; None where that is not known, then all N are counted on.

    Returns:
        For machines: ``expected``, and leaves, ghosts included: ``leaves_left`` (or null), ``leaves_mean`` that it
        takes on average, ``leaves_99`` that suffice in 99 of 100 disputes (null: no number does). A line for people.
    """
    from wmproto.verdict.plan import sequential_size

    size = sequential_size(classes, PROFILE.bits(beacon=False), (kept.hits, kept.total))
    mean = size.mean_leaves if size else None
    enough, most = size.range_leaves if size else None, leaves if left is None else left
    numbers = {"leaves_left": left, "leaves_mean": mean, "leaves_99": enough}
    of = (
        f"the key's {leaves} leaves, if none is taken"
        if left is None
        else f"the {left} leaves left of the key's {leaves}"
    )
    if mean is None or mean > most:
        why = "at this retention no number of leaves would do" if mean is None else f"it takes about {mean} of {of}"
        return {"expected": "NOT SHOWN", **numbers}, f"expected verdict: NOT SHOWN: {why}"
    sure = f"{enough} suffice in 99 of 100 disputes"
    return {"expected": "DEPENDENT", **numbers}, f"expected verdict: DEPENDENT after about {mean} of {of}; {sure}"
