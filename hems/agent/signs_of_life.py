"""Signs of life for a service manager, which kills a gateway that hangs and starts it again."""

import os
import socket
from contextlib import suppress
from typing import Final

VARIABLE: Final = "NOTIFY_SOCKET"
"""What the environment calls the service manager's socket, where there is one."""
_ALIVE: Final = b"WATCHDOG=1"


def service_manager() -> str | None:
    """Return the address of the service manager's socket; None where nobody listens."""
    return os.environ.get(VARIABLE) or None


class SignsOfLife:
    """Tell a service manager that all goes on; see ``WatchdogSec`` in systemd.service(5).

    Parameters
    ----------
    address : str, optional
        Of its socket, a path or ``@NAME``; None tells nobody.

    Notes
    -----
    A process that hangs neither renews a set-point nor gives it up, nor closes a relay, and its
    dead-man waits as long as it lives. Killed, it leaves both to the dead-man.
    """

    def __init__(self, address: str | None) -> None:
        abstract = address is not None and address.startswith("@")
        self._address = f"\0{address[1:]}" if address and abstract else address

    def give(self) -> None:
        """Give one; a service manager that does not listen is no concern of ours."""
        if self._address is None:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
            way.setblocking(False)
            way.sendto(_ALIVE, self._address)
