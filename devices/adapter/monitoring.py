"""What a SunSpec adapter says: answers, acknowledgements and its reports; without I/O.

Burgio et al. 2023 (§2.3) list what a report holds: time stamp, monitored device, details,
quantity, absorbed or delivered, and minimum, maximum, average and last value. The names of the
fields are ours, and so are ``unit``, ``mode`` (what the storage does now), ``power`` (what it was
told, in percent) and the acknowledgements of writes, of which the paper says nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from devices.adapter.messages import StorageConfig
from devices.battery import BatteryLimits
from devices.quantities import UNITS, Quantity, Window, directed
from devices.requests import SELF_CONSUMPTION, Action, Id, WriteRequest

NOT_CONFIGURED: Final = "not-configured"
"""The ``code`` of an adapter that has not been told its storage, or has forgotten it."""
OTHER: Final = "other"
"""The mode of a storage that somebody else steers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What the storage does: the part of every answer that says who steers it."""

    name: str
    """``self-consumption`` or the name of the write that stands."""
    power_percent: float = 0.0
    """Share of the rated power that the standing write told. [%]"""


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
    direction, figures = directed(quantity, window)
    return _encode(
        time_s,
        marked,
        {
            "quantity": quantity.value,
            "unit": UNITS[quantity],
            "type": direction,
            **figures,
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
