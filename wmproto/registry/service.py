"""HTTP around a witness: bounds on what comes in, and one place that serves (extra ``service``).

Decides nothing: what is answered to a body that was read, the witness says.
"""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from wmproto.errors import ConfigError, MissingExtraError, RegistryError
from wmproto.registry.add_checkpoint import ADD_CHECKPOINT_LIMIT
from wmproto.registry.witness import Answer, Witness

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_HEADERS_S = 10  # seconds in which a request must have begun: connections that say nothing would use up all there are
_BODY_S = 30  # seconds in which a body must arrive
_IDLE_S = 30  # seconds for which a connection is kept open for another request
_STOP_S = 5  # seconds that requests under way have when the service stops
_CONNECTIONS = 256  # more are answered 503
_LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z.-]+):([0-9]{1,5})")


def need_service() -> None:
    """Say, before any work, that the extra is missing; raises MissingExtraError."""
    if any(find_spec(name) is None for name in ("starlette", "uvicorn")):
        raise MissingExtraError("service")


def witness_app(witness: Witness, complain: Callable[[str], None]) -> Starlette:
    """The two endpoints of c2sp.org/tlog-witness.

    Args:
        witness: Whom to ask.
        complain: Gets a line for the operator when the state fails; the sender learns only that it did.
    """
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.routing import Route

    async def answered(ask: Callable[..., Answer], *args: object) -> Response:
        try:
            return _response(await run_in_threadpool(ask, *args))
        except RegistryError as err:
            complain(str(err))
            return _response(Answer(500, "text/plain", b"the state of this witness fails\n"))

    async def add_checkpoint(request: Request) -> Response:
        body = await _body(request, ADD_CHECKPOINT_LIMIT)
        return _response(body) if isinstance(body, Answer) else await answered(witness.add_checkpoint, body)

    async def checkpoint(request: Request) -> Response:
        return await answered(witness.checkpoint, request.path_params["origin"])

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/{origin}/checkpoint", checkpoint, methods=["GET"]),
        ]
    )


def _response(answer: Answer) -> Response:
    from starlette.responses import Response

    # What is left of a body that was not read to its end is no next request.
    unread = {"connection": "close"} if answer.status in (408, 413) else {}
    headers = {"content-type": answer.content_type, "cache-control": "no-store", **unread}
    return Response(answer.body, answer.status, headers)


async def _body(request: Request, limit: int) -> bytes | Answer:
    """The body as it was sent, or why it is not read: a length that is told is not believed to be kept."""
    from starlette.requests import ClientDisconnect

    too_large = Answer(413, "text/plain", f"more than {limit} bytes\n".encode())
    told = request.headers.get("content-length", "0").lstrip("0")
    if len(told) > len(str(limit)):
        return too_large
    body = b""
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    return too_large
    except (TimeoutError, ClientDisconnect):  # who has gone reads no answer
        return Answer(408, "text/plain", b"the body took too long\n")
    return body


def serve(app: Any, listen: str, ready: Callable[[str], None]) -> None:
    """Serve an application in this thread, the main one, until SIGINT or SIGTERM; requests under way are answered.

    Args:
        app: An ASGI application.
        listen: ``HOST:PORT``, or ``[IPv6]:PORT``; port 0 lets the system choose.
        ready: Called with the URL when requests are answered.

    Raises:
        ConfigError: Not an address, or it cannot be listened on.
        MissingExtraError: Without the extra ``service``.
    """
    need_service()
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    listener, url = _listener(listen)

    class Impatient(H11Protocol):
        """Closes a connection on which no whole request head has arrived in time; uvicorn itself waits for ever."""

        late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.late = self.loop.call_later(_HEADERS_S, transport.close)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            busy = self.cycle is not None and not self.cycle.response_complete
            if busy and self.late is not None:
                self.late.cancel()
                self.late = None
            elif not busy and self.late is None:  # the head of a next request, and not all of it
                self.late = self.loop.call_later(_HEADERS_S, self.transport.close)

        def connection_lost(self, exc: Exception | None) -> None:
            if self.late is not None:
                self.late.cancel()
            super().connection_lost(exc)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready(url)

    config = uvicorn.Config(
        app,
        access_log=False,
        date_header=False,
        http=Impatient,
        lifespan="off",
        limit_concurrency=_CONNECTIONS,
        log_config=None,
        log_level="error",  # not what strangers send: they could fill the operator's disk
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_S,
        timeout_keep_alive=_IDLE_S,
        ws="none",
    )
    server = Server(config)

    def stop(_number: int, _frame: object) -> None:
        server.should_exit = True

    # uvicorn raises the signal again when it has stopped: to whoever listens here, who has heard it.
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with listener:
            server.run([listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listener(listen: str) -> tuple[socket.socket, str]:
    """A socket that listens, and its URL."""
    match = _LISTEN.fullmatch(listen)
    if match is None or int(match[2]) >= 1 << 16:
        raise ConfigError(f"{listen!r} is no address to listen on", hint="HOST:PORT, as in 127.0.0.1:8080")
    host = match[1].strip("[]")
    try:
        family, *_ = socket.getaddrinfo(host, int(match[2]), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server((host, int(match[2])), family=family)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does not: it takes 40 ms an answer
    except OSError as err:
        reason = (err.strerror or str(err)).lower()
        raise ConfigError(f"cannot listen on {listen}: {reason}", hint="choose another address or port") from err
    return listener, f"http://{match[1]}:{listener.getsockname()[1]}"
