"""What an OCPP charger tells of itself, request by request, and the limits that it is sent.

Pure: requests of either version are folded into one `ChargerSeen`, which is then translated into
ours. OCPP's power into the car is positive, as ours is: no sign is turned here.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from devices.drivers.json_values import number_of, table_of
from devices.drivers.ocpp_charger_meter import Sample, decode_meter_values
from devices.errors import DeviceReplyError, DeviceUnavailableError
from devices.switches import ChargerState

V16: Final = "1.6"
V201: Final = "2.0.1"
PLAUSIBLE: Final = 1.5
"""A power beyond the charger's rating times this is a wrong unit, not a power."""
_SHORTEST_S: Final = 5.0
"""Energy registers count whole watt-hours: no power is told from a shorter time. [s]"""
_PLUGGED: Final = frozenset({"Preparing", "Charging", "SuspendedEVSE", "SuspendedEV", "Finishing"})
_UNPLUGGED: Final = frozenset({"Available", "Reserved"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerSeen:
    """What a charger has told so far; None where it has not."""

    connected: bool | None = None
    """Whether a car is plugged in."""
    charging: bool | None = None
    """Whether energy flows."""
    power_w: float | None = None
    """Power into the car. [W]"""
    energy_wh: float | None = None
    """The energy register. [Wh]"""
    energy_start_wh: float | None = None
    """The register when the car was plugged in, or first read since. [Wh]"""
    energy_at_s: float | None = None
    """When the energy register was told. [s]"""
    measured_s: float | None = None
    """When anything was last measured. [s]"""


def after_request(
    seen: ChargerSeen, action: str, payload: Mapping[str, object], *, connector: int, now_s: float
) -> ChargerSeen:
    """Return what is known after one more request of the charger, of either version.

    Parameters
    ----------
    seen : ChargerSeen
        What was known before.
    action : str
        Name of the request; one that tells nothing of the car changes nothing.
    payload : Mapping
        Its arguments.
    connector : int
        The connector (1.6) or EVSE (2.0.1) that is followed; others change nothing.
    now_s : float
        When it came. [s]

    Raises
    ------
    DeviceReplyError
        If the payload lacks what the request is for.
    """
    fold = _FOLDS.get(action)
    if fold is None or _connector_of(payload, connector) != connector:
        return seen
    return fold(seen, payload, now_s)


def to_state(
    seen: ChargerSeen, *, limit_w: float | None, power_max_w: float, name: str
) -> ChargerState:
    """Return our state of what a charger has told.

    Raises
    ------
    DeviceUnavailableError
        If it has not told yet whether a car is there.
    DeviceReplyError
        If energy flows and it does not tell how much, or more than it could.
    """
    if seen.connected is None:
        msg = f"{name} has not said yet whether a car is plugged in; ask again"
        raise DeviceUnavailableError(msg)
    power_w = 0.0
    if seen.charging:
        if seen.power_w is None:
            msg = f"{name} charges and does not tell its power; have it sample Power.Active.Import"
            raise DeviceReplyError(msg)
        power_w = seen.power_w
    if abs(power_w) > PLAUSIBLE * power_max_w:
        msg = f"{name} tells {power_w:g} W, rated {power_max_w:g} W; see its units and power_max_w"
        raise DeviceReplyError(msg)
    session_wh = 0.0
    if seen.connected and seen.energy_wh is not None and seen.energy_start_wh is not None:
        session_wh = max(seen.energy_wh - seen.energy_start_wh, 0.0)
    return ChargerState(
        connected=seen.connected,
        charging=bool(seen.charging),
        charger_power_w=power_w,
        session_wh=session_wh,
        limit_w=limit_w,
    )


def decode_limit_w(payload: Mapping[str, object], *, w_per_phase_a: float, phases: int) -> float:
    """Return the power that a composite schedule allows now, infinite without one. [W]

    Parameters
    ----------
    payload : Mapping
        Answer to ``GetCompositeSchedule``, of either version.
    w_per_phase_a : float
        Watts of an ampere in a phase: the voltage. [W/A]
    phases : int
        Phases that a limit in ampere holds for where the schedule does not say.

    Raises
    ------
    DeviceReplyError
        If there is a schedule and it cannot be understood.
    """
    schedule = payload.get("chargingSchedule") or payload.get("schedule")
    if schedule is None:
        return math.inf
    where = "charger: composite schedule"
    table = table_of(schedule, where)
    periods = table.get("chargingSchedulePeriod")
    if isinstance(periods, dict):
        periods = [periods]
    if not isinstance(periods, list):
        msg = f"{where} has no chargingSchedulePeriod; ask again"
        raise DeviceReplyError(msg)
    if not periods:
        return math.inf
    period = table_of(periods[0], f"{where} period")
    limit, unit = number_of(period, "limit"), table.get("chargingRateUnit")
    start_s = number_of(period, "startPeriod") or 0.0
    if limit is None or unit not in ("W", "A"):
        msg = f"{where}: limit {period.get('limit')!r} {unit!r} is no power or current; ask again"
        raise DeviceReplyError(msg[:200])
    if start_s > 0 or limit < 0:  # nothing limits it now
        return math.inf
    if unit == "W":
        return limit
    used = number_of(period, "numberPhases") or phases
    return limit * w_per_phase_a * used


def _connector_of(payload: Mapping[str, object], otherwise: int) -> int:
    """Return the connector or EVSE that a request is of; one that names none is of ours."""
    found: float | None = None
    evse = payload.get("evse")
    if isinstance(evse, dict):
        found = number_of(evse, "id")
    if found is None:
        found = number_of(payload, "evseId")
    if found is None:
        found = number_of(payload, "connectorId")
    return otherwise if found is None else int(found)


def _status(seen: ChargerSeen, payload: Mapping[str, object], now_s: float) -> ChargerSeen:
    del now_s
    word = payload.get("status", payload.get("connectorStatus"))
    if not isinstance(word, str):
        msg = f"charger: StatusNotification with status {word!r}; ask again"
        raise DeviceReplyError(msg[:200])
    if word in _UNPLUGGED:
        return _unplugged(seen)
    if word == "Occupied":  # 2.0.1; whether it charges is told by its transaction
        return replace(seen, connected=True, charging=bool(seen.charging))
    if word in _PLUGGED:
        return _plugged(seen, charging=word == "Charging")
    # unavailable or faulted: nothing flows, and whether a car is there is as it was
    return replace(seen, connected=bool(seen.connected), charging=False, power_w=0.0)


def _transaction(seen: ChargerSeen, payload: Mapping[str, object], now_s: float) -> ChargerSeen:
    """Fold 2.0.1's TransactionEvent."""
    info = payload.get("transactionInfo")
    state = info.get("chargingState") if isinstance(info, dict) else None
    kind = payload.get("eventType")
    if kind == "Ended":
        seen = replace(seen, charging=False, power_w=0.0)
    elif state == "Idle":
        seen = _unplugged(seen)
    elif isinstance(state, str):
        seen = _plugged(seen, charging=state == "Charging")
    else:
        seen = replace(seen, connected=True)
    return _meter(seen, payload, now_s) if "meterValue" in payload else seen


def _start(seen: ChargerSeen, payload: Mapping[str, object], now_s: float) -> ChargerSeen:
    """Fold 1.6's StartTransaction."""
    energy_wh = number_of(payload, "meterStart")
    plugged = replace(seen, connected=True)
    if energy_wh is None:
        return plugged
    return replace(plugged, energy_wh=energy_wh, energy_start_wh=energy_wh, energy_at_s=now_s)


def _meter(seen: ChargerSeen, payload: Mapping[str, object], now_s: float) -> ChargerSeen:
    sample = decode_meter_values(payload.get("meterValue"), where="charger")
    if sample == Sample():
        return seen
    power_w = sample.power_w
    if power_w is None:
        power_w = _power_of_energy(seen, sample, now_s)
    start_wh = seen.energy_start_wh if seen.energy_start_wh is not None else sample.energy_wh
    counted = seen
    if sample.energy_wh is not None:
        counted = replace(seen, energy_wh=sample.energy_wh, energy_at_s=now_s)
    return replace(counted, power_w=power_w, energy_start_wh=start_wh, measured_s=now_s)


def _power_of_energy(seen: ChargerSeen, sample: Sample, now_s: float) -> float | None:
    """Return the mean power since the register was last told; the old one if that is too short."""
    if seen.energy_wh is None or seen.energy_at_s is None or sample.energy_wh is None:
        return seen.power_w
    passed_s = now_s - seen.energy_at_s
    if passed_s < _SHORTEST_S:
        return seen.power_w
    return (sample.energy_wh - seen.energy_wh) * 3_600.0 / passed_s


def _plugged(seen: ChargerSeen, *, charging: bool) -> ChargerSeen:
    return replace(
        seen, connected=True, charging=charging, power_w=seen.power_w if charging else 0.0
    )


def _unplugged(seen: ChargerSeen) -> ChargerSeen:
    return replace(seen, connected=False, charging=False, power_w=0.0, energy_start_wh=None)


_Fold = Callable[[ChargerSeen, Mapping[str, object], float], ChargerSeen]
_FOLDS: Final[dict[str, _Fold]] = {
    "StatusNotification": _status,
    "TransactionEvent": _transaction,
    "StartTransaction": _start,
    "MeterValues": _meter,
}
