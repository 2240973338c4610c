"""``wmproto registry serve-static``: a log's files over HTTP."""

from __future__ import annotations

from pathlib import Path

import click

from wmproto.cli.output import AnyPath
from wmproto.errors import ConfigError


@click.command("serve-static", short_help="Serve the files of export --tiles over HTTP.")
@click.argument("folder", type=AnyPath)
@click.option("--listen", required=True, help="HOST:PORT to answer on; port 0: any that is free.")
def serve_static(folder: Path, listen: str) -> None:
    """Serve the files of a log, as export --tiles wrote them into FOLDER, until it is stopped (Ctrl-C).

    Its URL goes to stdout when it answers. Any other web server can serve FOLDER as well; only the file checkpoint
    ever changes.
    """
    from wmproto.registry.service import need_service, serve
    from wmproto.registry.static import static_app

    need_service()
    if not (folder / "checkpoint").is_file():
        raise ConfigError(f"{folder} holds no files of a log", hint="registry export DATABASE FOLDER --tiles")
    serve(static_app(folder), listen, lambda url: click.echo(f"listening on {url}"))
