"""The process of a dead-man: waits on standard input, and acts when that ends without a farewell.

It runs beside the controller for months, so it loads nothing but what Python has loaded anyway; the
driver is imported when the controller has died.
"""

import os
import signal
import sys
from contextlib import suppress
from importlib import import_module

FAREWELL = b"farewell\n"
"""What the controller says when it has let go of its device."""
READY = b"ready\n"
"""What the process says when it has its order and no signal ends it any more."""
_CHUNK = 65_536


def main() -> None:
    """Take an order, one line, and wait; carry it out if nothing else comes before the end."""
    # Ctrl-C and a service manager mean the controller, which says itself how it ended; and once
    # it is dead, nobody else sees to its device
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    order, rest = _first_line()
    if order is None:
        return  # the controller died before it could steer anything
    os.write(1, READY)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)  # nobody who reads the controller's output waits for us
    while chunk := os.read(0, _CHUNK):
        rest += chunk
    if rest != FAREWELL:
        _act(order)


def _first_line() -> tuple[bytes | None, bytes]:
    """Return the order and what came after it; None if there never was a whole one."""
    heard = b""
    while b"\n" not in heard:
        chunk = os.read(0, _CHUNK)
        if not chunk:
            return None, b""
        heard += chunk
    order, _, rest = heard.partition(b"\n")
    return order, rest


def _act(order: bytes) -> None:
    """Import from where the controller did what it takes to speak to a device, and do it."""
    told = import_module("json").loads(order)
    sys.path[:] = told.pop("sys_path")
    dead_man = import_module("devices.dead_man")
    story = dead_man.carry_out(
        dead_man.Order(**told), clock=import_module("devices.clock").SystemClock(), say=_say
    )
    import_module("asyncio").run(story)


def _say(line: str) -> None:
    with suppress(OSError):  # the terminal may have gone with the controller
        os.write(2, f"gridpact dead-man: {' '.join(line.split())}\n".encode())


if __name__ == "__main__":
    main()
