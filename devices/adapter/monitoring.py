"""What a SunSpec adapter says: answers, acknowledgements and its reports; without I/O.

Burgio et al. 2023 (§2.3) list what a report holds: time stamp, monitored device, details,
quantity, absorbed or delivered, and minimum, maximum, average and last value. The names of the
fields are ours, and so are ``unit``, ``mode`` (what the storage does now), ``power`` (what it was
told, in percent) and the acknowledgements of writes, of which the paper says nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from devices.adapter.messages import (
    SELF_CONSUMPTION,
    Action,
    Id,
    Quantity,
    StorageConfig,
    WriteRequest,
)
from devices.battery import BatteryLimits
from devices.errors import (
    DeviceConfigError,
    DeviceError,
    DeviceIgnoredError,
    DeviceReadOnlyError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
    WriteBudgetError,
)

UNITS: Final[Mapping[Quantity, str]] = {
    Quantity.FREQUENCY: "Hz",
    Quantity.PHASE_VOLTAGE: "V",
    Quantity.LINE_CURRENT: "A",
    Quantity.ACTIVE_POWER: "W",
    Quantity.REACTIVE_POWER: "var",
    Quantity.STATE_OF_CHARGE: "%",
}
"""Unit of each quantity in messages."""
_DIRECTED: Final = (Quantity.ACTIVE_POWER, Quantity.REACTIVE_POWER)

CODES: Final[Mapping[str, type[DeviceError]]] = {
    "read-only": DeviceReadOnlyError,
    "budget-spent": WriteBudgetError,
    "unauthorised": DeviceUnauthorisedError,
    "refused": DeviceRefusedError,
    "settings": DeviceConfigError,
    "ignored": DeviceIgnoredError,
    "reply": DeviceReplyError,
    "unavailable": DeviceUnavailableError,
}
"""What went wrong, by the ``code`` of an answer; subclasses stand before their bases."""
NOT_CONFIGURED: Final = "not-configured"
"""The ``code`` of an adapter that has not been told its storage, or has forgotten it."""
OTHER: Final = "other"
"""The mode of a storage that somebody else steers."""

ABSORBED: Final = "absorbed"
"""What goes into the storage; the sign is in this word, not in the numbers."""
DELIVERED: Final = "delivered"
"""What comes out of the storage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What the storage does: the part of every answer that says who steers it."""

    name: str
    """``self-consumption`` or the name of the write that stands."""
    power_percent: float = 0.0
    """Share of the rated power that the standing write told. [%]"""


@dataclass(slots=True)
class Window:
    """Values of one quantity since the last report; one value for each phase (pure)."""

    _low: list[float] = field(default_factory=list)
    _high: list[float] = field(default_factory=list)
    _sum: list[float] = field(default_factory=list)
    _last: list[float] = field(default_factory=list)
    _count: int = 0

    def add(self, values: tuple[float, ...]) -> None:
        """Take one more sample; one with another number of phases starts anew."""
        if len(values) != len(self._last):
            self.clear()
            self._low, self._high, self._sum = list(values), list(values), [0.0] * len(values)
        self._low = [min(pair) for pair in zip(self._low, values, strict=True)]
        self._high = [max(pair) for pair in zip(self._high, values, strict=True)]
        self._sum = [sum(pair) for pair in zip(self._sum, values, strict=True)]
        self._last = list(values)
        self._count += 1

    def __bool__(self) -> bool:
        return self._count > 0

    def clear(self) -> None:
        """Forget every sample."""
        self._low, self._high, self._sum, self._last, self._count = [], [], [], [], 0

    def figures(self, sign: float) -> dict[str, object]:
        """Return minimum, maximum, average and last value in the direction ``sign`` (1 or -1)."""
        low, high = (self._low, self._high) if sign > 0 else (self._high, self._low)
        average = [total / max(self._count, 1) for total in self._sum]
        named = {"min": low, "max": high, "avg": average, "last": self._last}
        return {name: _shown([sign * each for each in values]) for name, values in named.items()}


def _shown(values: list[float]) -> object:
    """Return one number, or a list where there are phases; None where nothing was measured."""
    rounded = [round(value, 3) + 0.0 for value in values]  # + 0.0 makes -0.0 a plain zero
    if len(rounded) == 1:
        return rounded[0]
    return rounded or None


def encode_report(
    quantity: Quantity, window: Window, *, time_s: float, mode: Mode, marked: Id = None
) -> bytes:
    """Return a report of one quantity, periodic or as the answer to a read.

    Parameters
    ----------
    quantity : Quantity
        What was measured.
    window : Window
        Samples, at least one; power > 0 is absorbed.
    time_s : float
        Unix time stamp. [s]
    mode : Mode
        What the storage does.
    marked : str or int, optional
        The request's ``id``.
    """
    last = window.figures(1.0)["last"]
    delivers = quantity in _DIRECTED and isinstance(last, float) and last < 0
    directed = (DELIVERED if delivers else ABSORBED) if quantity in _DIRECTED else None
    return _encode(
        time_s,
        marked,
        {
            "quantity": quantity.value,
            "unit": UNITS[quantity],
            "type": directed,
            **window.figures(-1.0 if delivers else 1.0),
            "mode": mode.name,
            "power": mode.power_percent,
        },
    )


def encode_done(
    request: WriteRequest, *, time_s: float, mode: Mode, interval_unit_s: float
) -> bytes:
    """Return the acknowledgement of a write that the storage has done."""
    interval_s = request.interval_s
    return _encode(
        time_s,
        request.id,
        {
            "write": request.action.value,
            "accepted": True,
            "interval": None if interval_s is None else interval_s / interval_unit_s,
            "mode": mode.name,
            "power": mode.power_percent,
        },
    )


def encode_configured(
    config: StorageConfig, limits: BatteryLimits, *, time_s: float, marked: Id
) -> bytes:
    """Return the acknowledgement of a configuration, with what the storage said it can do."""
    return _encode(
        time_s,
        marked,
        {
            "configured": True,
            "storage": config.storage,
            "model": config.model,
            "charge_max_w": limits.charge_max_w,
            "discharge_max_w": limits.discharge_max_w,
            "capacity_wh": limits.capacity_wh,
            "charges_from_grid": limits.charges_from_grid,
            "exports_to_grid": limits.exports_to_grid,
        },
    )


def encode_error(code: str, text: str, *, time_s: float, marked: Id) -> bytes:
    """Return why a request was not done; ``code`` tells a program what to do about it."""
    return _encode(time_s, marked, {"accepted": False, "error": text, "code": code})


def code_of(error: DeviceError) -> str:
    """Return the ``code`` of an error."""
    return next((code for code, kind in CODES.items() if isinstance(error, kind)), "unavailable")


def mode_of(standing: WriteRequest | None, *, following: bool) -> Mode:
    """Return what the storage does, from the write that stands and from what it says of itself."""
    if following:
        return Mode(name=SELF_CONSUMPTION)
    if standing is None or standing.action is Action.PROFILE:
        return Mode(name=OTHER)
    return Mode(name=standing.action.value, power_percent=standing.power_percent)


def _encode(time_s: float, marked: Id, body: Mapping[str, object]) -> bytes:
    document = {"timestamp": round(time_s, 3), "device": "storage", **body}
    if marked is not None:
        document["id"] = marked
    return json.dumps(document, allow_nan=False).encode()
