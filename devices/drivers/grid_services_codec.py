"""SolarEdge's Grid Services call of Burgio 2023 (§3.2): one event of one battery; no I/O.

Our sign becomes a choice of command here and nowhere else: > 0 is ``chargeStorage``, < 0
``dischargeStorage``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from devices.drivers.json_values import number_of, parse_json, table_of, text_of
from devices.errors import DeviceIgnoredError, DeviceRefusedError, DeviceReplyError

CHARGE: Final = "chargeStorage"
DISCHARGE: Final = "dischargeStorage"
_PARAMETERS: Final = {CHARGE: "chargePowerPercent", DISCHARGE: "dischargePowerPercent"}
"""The paper shows the first; the second is taken to be called alike."""
_REFUSALS: Final = ("fail", "reject", "error", "cancel", "expire", "invalid", "denied")
_END_SLACK: Final = timedelta(seconds=1)
"""The service counts an event in whole seconds: the paper's answer ends 0.456 s early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DerEvent:
    """What a battery is asked to do, in the service's terms."""

    der_id: str
    """Identity of the battery with the service."""
    command: str
    """``chargeStorage`` or ``dischargeStorage``."""
    percent: int
    """Share of the rated power, 0..100. [%]"""
    start: datetime
    """Start, aware."""
    end: datetime
    """End, aware, after the start."""

    def __post_init__(self) -> None:
        if self.command not in _PARAMETERS or not 0 <= self.percent <= 100:
            msg = f"event: {self.command} at {self.percent} % cannot be"
            raise DeviceRefusedError(msg)
        if self.start.tzinfo is None or self.end.tzinfo is None or self.end <= self.start:
            msg = f"event: from {self.start} to {self.end} cannot be; give aware times in order"
            raise DeviceRefusedError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What the service confirms, in its terms."""

    event_id: str
    """Its number of the event."""
    status: str
    """What became of it: the paper shows "Delivered"."""
    command: str
    """Command that it understood."""
    percent: float | None
    """Share of the rated power that it understood; None where it does not say. [%]"""
    end: datetime | None
    """End that it understood; None where it does not say."""


def to_event(
    battery_power_w: float, *, der_id: str, rated_w: float, start: datetime, valid_s: float
) -> DerEvent:
    """Return the event that has a terminal power held, cut to the rated power.

    Parameters
    ----------
    battery_power_w : float
        Terminal power, > 0 charges. [W]
    der_id : str
        Identity of the battery with the service.
    rated_w : float
        What 100 percent is. [W]
    start : datetime
        From when, aware.
    valid_s : float
        For how long. [s]
    """
    return DerEvent(
        der_id=der_id,
        command=DISCHARGE if battery_power_w < 0 else CHARGE,
        percent=min(round(100 * abs(battery_power_w) / rated_w), 100),
        start=start,
        end=start + timedelta(seconds=valid_s),
    )


def encode_event(event: DerEvent) -> dict[str, object]:
    """Return the body of the call; priority 1 puts earlier events aside."""
    return {
        "derId": event.der_id,
        "commandUri": event.command,
        "startTime": encode_time(event.start),
        "endTime": encode_time(event.end),
        "priority": "1",
        "parameters": {_PARAMETERS[event.command]: str(event.percent)},
    }


def decode_event(body: bytes, where: str) -> DerEvent:
    """Return the event that a body asks for: what the service does with `encode_event`'s.

    Raises
    ------
    DeviceReplyError, DeviceRefusedError
        If it is no event, or one that cannot be.
    """
    table = table_of(parse_json(body, where), where)
    command = text_of(table, "commandUri") or ""
    start, end = _time(table, "startTime"), _time(table, "endTime")
    percent = number_of(_parameters(table), _PARAMETERS.get(command, ""))
    if percent is None or start is None or end is None:
        msg = f"{where}: command, percent or times are missing"
        raise DeviceReplyError(msg)
    return DerEvent(
        der_id=text_of(table, "derId") or "",
        command=command,
        percent=round(percent),
        start=start,
        end=end,
    )


def decode_confirmation(body: bytes, where: str) -> Confirmation:
    """Return what the service answered to an event.

    Raises
    ------
    DeviceReplyError
        If it is no confirmation.
    """
    table = table_of(parse_json(body, where), where)
    event_id, status = text_of(table, "id"), text_of(table, "status")
    command = text_of(table, "commandUri")
    if not event_id or not status or not command:
        msg = f"{where}: id, status or commandUri is missing from the confirmation; ask again"
        raise DeviceReplyError(msg)
    return Confirmation(
        event_id=event_id,
        status=status,
        command=command,
        percent=number_of(_parameters(table), _PARAMETERS.get(command, "")),
        end=_time(table, "endTime"),
    )


def require_confirmed(event: DerEvent, confirmation: Confirmation, where: str) -> None:
    """Raise unless a confirmation is of this event.

    Raises
    ------
    DeviceRefusedError
        If its status is one of failure.
    DeviceIgnoredError
        If it confirms another command, share or end.
    """
    status = confirmation.status
    if any(word in status.lower() for word in _REFUSALS):
        msg = f"{where} says {status[:40]!r} to {event.command}; see the battery in its portal"
        raise DeviceRefusedError(msg)
    understood = confirmation.command == event.command
    understood &= confirmation.percent in {None, float(event.percent)}
    understood &= confirmation.end is None or abs(confirmation.end - event.end) <= _END_SLACK
    if not understood:
        msg = (
            f"{where} confirms {confirmation.command[:40]} {confirmation.percent} % instead of "
            f"{event.command} {event.percent} % or another end; send it again"
        )
        raise DeviceIgnoredError(msg)


def encode_time(moment: datetime) -> str:
    """Return a time as the service writes it: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(table: Mapping[str, object], key: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text_of(table, key) or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _parameters(table: Mapping[str, object]) -> Mapping[str, object]:
    """Return the parameters, their names without the blanks that the paper prints."""
    found = table.get("parameters")
    if not isinstance(found, dict):
        return {}
    return {str(key).strip(): value for key, value in found.items()}
