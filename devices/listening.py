"""The end of a server's listening, without a client left half let in."""

import asyncio
from typing import Final

_TURNS: Final = 10
"""Turns of the loop that letting a client in takes at most."""


async def stop_listening(server: asyncio.Server) -> None:
    """Let no more clients in and close a server; connections that stand are the caller's to end.

    A client that is just being let in is in before the server closes: asyncio would leave its
    socket open.
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    await let_connect()
    server.close()


async def let_connect() -> None:
    """Let the loop do what connections have under way."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
