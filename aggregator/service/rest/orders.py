"""Commands as operators give them; whoever carries them out implements `Orders`."""

from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

from devices.quantities import Quantity

_NAME = "[A-Za-z0-9_.-]{1,64}"
TARGET_PATTERN = rf"^(fleet|(home|group):{_NAME}|device:{_NAME}/{_NAME})$"
"""Who is commanded."""


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
"""Of the rated power or of the capacity. [%]"""
Minutes = Annotated[float, Field(gt=0, le=1440, allow_inf_nan=False)]
"""For how long. [min]"""


class PowerCommand(_Command):
    """Charge or discharge for a while."""

    write: Literal["charge", "discharge"]
    """Which."""
    power: Percent
    """Of the rated power. [%]"""
    interval: Minutes
    """For how long. [min]"""


class ProfileCommand(_Command):
    """Follow the house's residual demand until the next command."""

    write: Literal["profile"]
    """This command."""
    profile: Literal["self-consumption"]
    """Which profile."""
    backup: Percent | None = None
    """What is kept of the capacity. [%]"""


class PlainCommand(_Command):
    """Stand by, or let the controller take over again."""

    write: Literal["stop", "release"]
    """Which."""


class ReferenceCommand(_Command):
    """Hold a power at the grid connection for a while."""

    write: Literal["power reference"]
    """This command."""
    power_w: Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]
    """Power, > 0 imports. [W]"""
    interval: Minutes
    """For how long. [min]"""


class ReadCommand(_Command):
    """Ask for a quantity of the storage."""

    read: Quantity
    """Which."""


def _meant(given: object) -> str | None:
    """Return which command is meant, so that what is wrong with one is told of that one."""
    if isinstance(given, BaseModel):
        given = given.model_dump()
    if not isinstance(given, dict):
        return None
    return "read" if "read" in given else given.get("write")


Command = Annotated[
    Annotated[PowerCommand, Tag("charge")]
    | Annotated[PowerCommand, Tag("discharge")]
    | Annotated[ProfileCommand, Tag("profile")]
    | Annotated[PlainCommand, Tag("stop")]
    | Annotated[PlainCommand, Tag("release")]
    | Annotated[ReferenceCommand, Tag("power reference")]
    | Annotated[ReadCommand, Tag("read")],
    Discriminator(
        _meant,
        custom_error_type="command",
        custom_error_message=(
            "give a read, or a write of charge, discharge, profile, stop, release "
            "or power reference"
        ),
    ),
]
"""What a gateway can be told (docs/mqtt.md, Commands)."""


class OrderBody(_Command):
    """What an operator wants done."""

    target: Annotated[str, StringConstraints(pattern=TARGET_PATTERN)]
    """``fleet``, ``group:NAME``, ``home:ID`` or ``device:HOME/DEVICE``, a home's one battery."""
    command: Command
    """What."""
    expires_in_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 60.0
    """How long it may wait to be begun. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as it is handed on."""

    target: str
    """``fleet``, ``group:NAME``, ``home:ID`` or ``device:HOME/DEVICE``."""
    command: Command
    """What; ``model_dump(exclude_none=True)`` is the message's part."""
    who: str
    """The token's id."""
    at_ms: int
    """When it was given. [ms]"""
    expires_ms: int
    """Until when it may be begun. [ms]"""


class Placed(BaseModel):
    """An order that was taken."""

    request_id: str
    """The order's; its gateways' commands are found by it."""
    homes: int
    """Gateways that it went to."""


class Orders(Protocol):
    """Takes orders, quickly: what becomes of them is read from the table of commands."""

    def place(self, order: Order) -> Placed:
        """Write the order's commands and its line of the audit log, and see that they are sent.

        Raises
        ------
        RegistryAbsentError
            Where the target names nobody.
        RegistryInputError
            Where the target cannot be commanded.
        """
