"""Serves the files of a log over HTTP (extra ``service``); any web server can do the same.

Only paths that a log's files can have are looked up, so nothing else in or around the folder can be asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wmproto.errors import ConfigError, NotFoundError
from wmproto.registry.tiles import is_path
from wmproto.wire.files import read_file
from wmproto.wire.labels import PAYLOAD_TYPE

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["static_app"]

_LIMIT = 32 << 20  # bytes; a full bundle of the largest entries has 16 MiB
_FOR_EVER = "public, max-age=31536000, immutable"
_TEXT, _BYTES = "text/plain; charset=utf-8", "application/octet-stream"


def static_app(folder: Path) -> Starlette:
    """The log's files as c2sp.org/tlog-tiles has them; ``checkpoint`` is never to be cached, the rest for ever."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import Response
    from starlette.routing import Route

    async def answer(request: Request) -> Response:
        path = request.scope["path"].removeprefix("/")  # not what the route found: it passes over a newline at the end
        safe = {"x-content-type-options": "nosniff"}
        try:
            if not is_path(path):
                raise NotFoundError("not the path of a file of a log")
            data = await run_in_threadpool(read_file, folder / path, what="file", limit=_LIMIT)
        except (NotFoundError, ConfigError):  # ConfigError: a folder in its place, or no permission to read
            return Response(b"not found\n", 404, safe | {"content-type": _TEXT, "cache-control": "no-store"})
        kind = {"checkpoint": _TEXT, "statement": PAYLOAD_TYPE}.get(path.split("/")[0], _BYTES)
        keep = "no-cache" if path == "checkpoint" else _FOR_EVER
        return Response(data, 200, safe | {"content-type": kind, "cache-control": keep})

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET"])])
