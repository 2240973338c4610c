"""``wmproto mark``: train a marked model, or check one for the mark. Needs the extra torch."""

from __future__ import annotations

from pathlib import Path

import click

from wmproto.cli.options import PROFILE, OrderedGroup, check_new, need_torch, open_key, passphrase_option, progress
from wmproto.cli.output import AnyPath, emit, json_option, read_input
from wmproto.errors import ConfigError


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
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Train the small network on your pictures with the marks of the activated key in FOLDER.

    For a network of your own, wrap your loader with wmproto.marking.MarkedLoader instead (examples/own_loop.py).
    """
    from wmproto.owner import KeyFolder
    from wmproto.release.modelfile import read_model
    from wmproto.wire.writing import write_new

    need_torch()
    check_new(out)
    home = KeyFolder(folder, profile=PROFILE)
    home.activation()
    if not data.is_file():
        raise ConfigError(
            f"there is no file of pictures at {data}", hint="numpy.savez('data.npz', x=pictures, y=labels)"
        )
    import torch

    from wmproto.marking import MarkedLeaves, MarkedLoader, self_check
    from wmproto.models import Batches, EscrowSuspect, load_npz, save_model, small_cnn, standardisation, trained

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
    secret = open_key(key_path, passphrase_file, "owner")
    with progress("recomputing the leaves") as tick:
        leaves = MarkedLeaves.of(home.activated(secret, tick))
    torch.set_num_threads(1)  # a network this small gains nothing from more, and the same seed gives the same bytes
    architecture = small_cnn(z.input.shape, len(z.classes), *standardisation(pictures.x))
    loader = MarkedLoader(Batches(pictures, seed=seed), leaves, seed=seed + 1, rows_per_batch=rows)
    with progress("training") as tick:
        network = trained(architecture, loader, seed=seed, epochs=epochs, progress=tick)
    model = save_model(network, architecture)
    write_new(out, model, mode=0o644)
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
@click.option("--model", type=AnyPath, required=True, help="The weights to check (safetensors).")
@passphrase_option
@json_option
def check(folder: Path, key_path: Path, model: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Count privately how many marks of the activated key in FOLDER a model keeps; nothing is opened or logged."""
    from wmproto.owner import KeyFolder
    from wmproto.owner.activated import check_model
    from wmproto.release.modelfile import read_model
    from wmproto.release.tensors import WEIGHTS_LIMIT

    need_torch()
    home = KeyFolder(folder, profile=PROFILE)
    home.activation()
    loaded = read_model(read_input(model, what="model", limit=WEIGHTS_LIMIT), profile=PROFILE)
    check_model(home.key(), loaded)
    secret = open_key(key_path, passphrase_file, "owner")
    with progress("recomputing the leaves") as tick:
        active = home.activated(secret, tick)
    from wmproto.marking import MarkedLeaves, self_check  # late: torch takes seconds to load
    from wmproto.models import EscrowSuspect

    suspect = EscrowSuspect(loaded.data, loaded.architecture, profile=PROFILE)
    kept = self_check(suspect.answer, MarkedLeaves.of(active))
    classes = len(active.key.z.classes)
    emit(
        as_json,
        {"classes": classes, "hits": kept.hits, "marked": kept.total, "model": loaded.digest.hex()},
        [
            f"marks kept: {kept.hits} of {kept.total} (luck alone: about 1 in {classes})",
            f"leaves for a verdict: wmproto verdict plan --classes {classes} --retention "
            f"{kept.hits * 100 // kept.total / 100:.2f}",
        ],
    )
