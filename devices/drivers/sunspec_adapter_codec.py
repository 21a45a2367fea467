"""What a gateway says to a SunSpec adapter and hears from it: pure, no I/O.

Requests are those of Burgio et al. 2023 (Tables 3 and 4, §3.2). Of the answers the paper lists only
what they hold, so a reply is read in any of three shapes: a report as our own adapter sends it,
the request with a ``value``, and the quantity's name as a key. Sign: an adapter tells powers as
magnitudes ``absorbed`` or ``delivered``; ours are > 0 when the battery absorbs. A power without
such a word is taken for absorbed when > 0 (an assumption: the paper does not say).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from devices.battery import BatteryLimits
from devices.error_codes import CODES
from devices.errors import DeviceReplyError, DeviceUnavailableError
from devices.quantities import DELIVERED, Quantity
from devices.requests import SELF_CONSUMPTION, Action

_PLAUSIBLE: Final = 1.5
"""A power beyond this share of the rated power is a wrong scale or unit, not a measurement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A message on the topic of answers, as the adapter means it; None where it does not tell."""

    id: str | None = None
    """The request's own mark."""
    quantity: Quantity | None = None
    """What was measured."""
    last: float | None = None
    """Latest value, in the quantity's unit; the first phase's where there are several."""
    direction: str | None = None
    """``absorbed`` or ``delivered``."""
    mode: str | None = None
    """What the storage does now."""
    power_percent: float | None = None
    """Share of the rated power that the standing write told. [%]"""
    code: str | None = None
    """What went wrong, for programs."""
    error: str | None = None
    """What went wrong, for people."""
    limits: BatteryLimits | None = None
    """What the storage can do: the answer to a configuration."""


def encode_document(document: Mapping[str, object], *, marked: str | None) -> bytes:
    """Return a request's bytes, with our mark if the adapter repeats one."""
    body = dict(document) if marked is None else {**document, "id": marked}
    return json.dumps(body, allow_nan=False).encode()


def read_document(quantity: Quantity) -> dict[str, object]:
    """Return a line of Table 3."""
    return {"read": quantity.value}


def hold_document(action: Action, power_percent: float, interval: float) -> dict[str, object]:
    """Return the charge or discharge line of Table 4; ``interval`` is in the adapter's unit."""
    return {"write": action.value, "power": power_percent, "interval": interval}


def follow_document() -> dict[str, object]:
    """Return the profile line of Table 4, which the paper misprints, without a reserve."""
    return {"write": Action.PROFILE.value, "profile": SELF_CONSUMPTION}


def decode_answer(payload: bytes) -> Answer:
    """Return what a message on the topic of answers says.

    Raises
    ------
    DeviceReplyError
        If it is no JSON object.
    """
    try:
        document = json.loads(payload.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        msg = f"adapter's answer {payload[:60]!r} is no JSON; see what else writes on its topic"
        raise DeviceReplyError(msg) from error
    if not isinstance(document, dict):
        msg = f"adapter's answer {payload[:60]!r} is no JSON object; see what else writes there"
        raise DeviceReplyError(msg)
    quantity, value = _measured(document)
    return Answer(
        id=_text(document.get("id")),
        quantity=quantity,
        last=_number(value),
        direction=_text(document.get("type")),
        mode=_text(document.get("mode")),
        power_percent=_number(document.get("power")),
        code=_text(document.get("code")),
        error=_text(document.get("error")),
        limits=_limits(document),
    )


def check_answer(answer: Answer, device: str) -> None:
    """Raise what the adapter says went wrong, as the error that says what to do about it."""
    if answer.code is None and answer.error is None:
        return
    kind = CODES.get(answer.code or "", DeviceUnavailableError)
    msg = f"{device}: {answer.error or answer.code}"
    raise kind(msg)


def soc_of(answer: Answer, device: str) -> float:
    """Return the state of charge that an answer tells, 0..1.

    Raises
    ------
    DeviceReplyError
        If it tells none, or one outside 0..100 %.
    """
    if answer.last is None or not 0 <= answer.last <= 100:
        msg = f"{device} tells a state of charge of {answer.last} %; ask again"
        raise DeviceReplyError(msg)
    return answer.last / 100


def battery_power_w_of(answer: Answer, device: str, *, rated_w: float) -> float:
    """Return the battery's power that an answer tells, > 0 charges. [W]

    Raises
    ------
    DeviceReplyError
        If it tells none, or more than the battery can have.
    """
    power_w = answer.last
    if power_w is None or abs(power_w) > _PLAUSIBLE * rated_w:
        msg = f"{device} tells an active power of {power_w} W at {rated_w:g} W rated; ask again"
        raise DeviceReplyError(msg)
    return (-power_w if answer.direction == DELIVERED else power_w) + 0.0


def _measured(document: Mapping[str, object]) -> tuple[Quantity | None, object]:
    """Return quantity and value of a report, whichever of the shapes it has."""
    for key in ("quantity", "read"):
        named = document.get(key)
        for quantity in Quantity:
            if isinstance(named, str) and named.strip().lower() == quantity.value.lower():
                return quantity, document.get("last", document.get("value"))
    for quantity in Quantity:
        if quantity.value in document:
            return quantity, document[quantity.value]
    return None, None


def _limits(document: Mapping[str, object]) -> BatteryLimits | None:
    charge_w, discharge_w = (
        _number(document.get(key)) for key in ("charge_max_w", "discharge_max_w")
    )
    if charge_w is None or discharge_w is None or charge_w < 0 or discharge_w < 0:
        return None
    capacity_wh = _number(document.get("capacity_wh"))
    return BatteryLimits(
        charge_max_w=charge_w,
        discharge_max_w=discharge_w,
        capacity_wh=capacity_wh if capacity_wh is not None and capacity_wh > 0 else None,
        charges_from_grid=document.get("charges_from_grid") is not False,
        exports_to_grid=document.get("exports_to_grid") is not False,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    """Return a finite number, from a text or the first of a list where it stands there."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
