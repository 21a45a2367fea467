"""What every emulated device is to the tests and commands that start one."""

from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome


class Emulator(Protocol):
    """A vendor's device on a real socket or pseudo-terminal, over an emulated home.

    Classes named in `devices.registry.EMULATORS` are made with ``(home, *, clock, host, port,
    faults)`` and options of their own, all with defaults; port 0 takes a free one.
    """

    home: EmulatedHome
    """The battery, sun and house behind it."""
    faults: FaultPlan
    """What it injects; may be replaced while it runs."""
    writes: Counter[str]
    """Requests that changed something or started a timer, by the register's or path's name."""

    @property
    def offered(self) -> frozenset[Fault]:
        """The faults that its protocol can show."""
        ...

    @property
    def settings(self) -> Mapping[str, object]:
        """The table of a configuration that reaches it, ``driver`` included."""
        ...

    async def start(self) -> None:
        """Begin to listen."""
        ...

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        ...
