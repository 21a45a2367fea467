"""What a sonnenBatterie says and is told, API v1 and v2: decoding, encoding, translation; no I/O.

Vendor's signs: ``Pac_total_W > 0`` discharges, ``GridFeedIn_W > 0`` exports. Both are turned in
`to_state` and `to_meter`, and nowhere else.

Notes
-----
v1 is the vendor's technical note TN007 (eco 8); v2 is the document that the device serves at
``/api/doc.html``. Both answer the same status.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from devices.battery import BatteryLimits, BatteryState, MeterState
from devices.drivers.json_values import (
    number_of,
    parse_json,
    power_of,
    soc_percent_of,
    table_of,
    text_of,
)
from devices.drivers.seen_power import EMPTY_SOC, FULL_SOC, TOLERANCE_W
from devices.errors import (
    DeviceConfigError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnavailableError,
)

MANUAL: Final = "1"
"""Operating mode in which set-points hold."""
SELF_CONSUMPTION: Final = "2"
"""Operating mode in which the battery follows residual demand."""
CHARGE: Final = "charge"
DISCHARGE: Final = "discharge"
"""The two set-points that the device holds, each in its own path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SonnenStatus:
    """A status in the vendor's names, units and signs."""

    pac_total_w: float
    """Battery power, > 0 discharges. [W]"""
    usoc: float
    """State of charge that the user sees, of the capacity sold. [%]"""
    consumption_w: float | None
    """Load; None where it is not told. [W]"""
    production_w: float | None
    """Production; None where it is not told. [W]"""
    grid_feed_in_w: float | None
    """Power at the grid, > 0 exports; None where it is not told. [W]"""
    operating_mode: str | None
    """"1" manual, "2" self-consumption, "10" time of use; None on firmware of 2019 and older."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SonnenRatings:
    """What the configurations of v2 tell of the battery."""

    inverter_max_power_w: float | None
    """Greatest power either way. [W]"""
    capacity_wh: float | None
    """Capacity sold: modules times capacity of a module. [Wh]"""


def decode_status(body: bytes, where: str) -> SonnenStatus:
    """Return what ``GET .../status`` answered.

    Raises
    ------
    DeviceReplyError
        If it is no status, or power or state of charge are missing or out of range.
    """
    table = table_of(parse_json(body, where), where)
    soc_key = "USOC" if number_of(table, "USOC") is not None else "RSOC"
    return SonnenStatus(
        pac_total_w=power_of(table, "Pac_total_W", where=where),
        usoc=soc_percent_of(table, soc_key, where=where),
        consumption_w=_power_or_none(table, "Consumption_W", where),
        production_w=_power_or_none(table, "Production_W", where),
        grid_feed_in_w=_power_or_none(table, "GridFeedIn_W", where),
        operating_mode=text_of(table, "OperatingMode") or None,
    )


def decode_ratings(body: bytes, where: str) -> SonnenRatings:
    """Return what ``GET .../configurations`` tells of power and capacity; values are strings.

    Raises
    ------
    DeviceReplyError
        If it is no table of configurations.
    """
    table = table_of(parse_json(body, where), where)
    modules = number_of(table, "IC_BatteryModules")
    module_wh = number_of(table, "CM_MarketingModuleCapacity")
    capacity_wh = None if modules is None or module_wh is None else modules * module_wh
    power_w = number_of(table, "IC_InverterMaxPower_w")
    return SonnenRatings(
        inverter_max_power_w=power_w if power_w is not None and 0 < power_w < 1e6 else None,
        capacity_wh=capacity_wh if capacity_wh is not None and 0 < capacity_wh < 1e7 else None,
    )


def require_done(body: bytes, where: str) -> None:
    """Raise what the answer to a write says went wrong.

    Seen or documented for "done": an empty body, ``true``, ``{"ReturnCode":"0"}`` and an echo of
    what was written.

    Raises
    ------
    DeviceRefusedError
        For ``false``, an ``error``, and the return codes 5 (path) and 16 (method).
    DeviceUnavailableError
        For the return code 13 (internal).
    DeviceReplyError
        If it is no such answer.
    """
    if not body.strip():
        return
    said = parse_json(body, where)
    if said is True:
        return
    if said is False or not isinstance(said, dict):
        msg = f"{where} answered {str(said)[:40]!r} to a write; see whether it allows writing"
        raise DeviceRefusedError(msg)
    if "error" in said:
        msg = f"{where} refuses: {str(said['error'])[:80]!r}; see what it allows"
        raise DeviceRefusedError(msg)
    _require_return_code(text_of(said, "ReturnCode"), where)


def _require_return_code(code: str | None, where: str) -> None:
    if code is None or code == "0":
        return
    told = f"{where} answered return code {code[:20]}"
    if code == "13":
        msg = f"{told}, an internal error; ask again later"
        raise DeviceUnavailableError(msg)
    if code in {"5", "16"}:
        msg = f"{told}, path or method unknown; see its API version"
        raise DeviceRefusedError(msg)
    msg = f"{told}, which is not documented; ask again"
    raise DeviceReplyError(msg)


def setpoints(battery_power_w: float, *, percent_of_w: float | None = None) -> dict[str, int]:
    """Return the two set-points to hold, the one to be zeroed first.

    Parameters
    ----------
    battery_power_w : float
        Terminal power, > 0 charges. [W]
    percent_of_w : float, optional
        Rated power, where set-points are percent of it; None where they are watts. [W]
    """
    size_w = abs(battery_power_w)
    value = round(size_w if percent_of_w is None else 100 * size_w / percent_of_w)
    if battery_power_w < 0:
        return {CHARGE: 0, DISCHARGE: value}
    return {DISCHARGE: 0, CHARGE: value}


def to_state(status: SonnenStatus, *, commanded: bool) -> BatteryState:
    """Return the state in our signs.

    Parameters
    ----------
    status : SonnenStatus
        As decoded.
    commanded : bool
        Whether we commanded it; believed only where the status does not tell the mode.
    """
    told = status.operating_mode
    return BatteryState(
        soc=status.usoc / 100,
        battery_power_w=0.0 - status.pac_total_w,  # 0 stays 0, not -0
        following=not commanded if told is None else told != MANUAL,
    )


def looks_commanded(status: SonnenStatus, battery_power_w: float) -> bool:
    """Return whether a battery that does not tell its mode still obeys a set-point.

    It does if it shows that power although following residual demand would be another: power flows
    at the grid, and the battery is neither nearly full nor nearly empty.

    Parameters
    ----------
    status : SonnenStatus
        As decoded.
    battery_power_w : float
        Terminal power that was commanded, > 0 charges. [W]
    """
    held = abs(status.pac_total_w + battery_power_w) <= TOLERANCE_W
    free = 100 * EMPTY_SOC < status.usoc < 100 * FULL_SOC
    return held and free and abs(status.grid_feed_in_w or 0.0) > TOLERANCE_W


def to_meter(status: SonnenStatus, where: str) -> MeterState:
    """Return the reading in our signs; what old firmware leaves out follows from the balance.

    Raises
    ------
    DeviceReplyError
        If less than load and production are told.
    """
    if status.consumption_w is None or status.production_w is None:
        msg = f"{where}: Consumption_W or Production_W is missing; it has no meter to read"
        raise DeviceReplyError(msg)
    # inverters show a few watts below zero at night
    load_w, pv_w = max(status.consumption_w, 0.0), max(status.production_w, 0.0)
    if status.grid_feed_in_w is None:
        grid_power_w = load_w - status.pac_total_w - pv_w
    else:
        grid_power_w = 0.0 - status.grid_feed_in_w
    return MeterState(load_w=load_w, pv_w=pv_w, grid_power_w=grid_power_w)


def to_limits(
    ratings: SonnenRatings, *, power_max_w: float | None, capacity_wh: float | None, where: str
) -> BatteryLimits:
    """Return the limits; what the settings say goes before what the device says.

    Raises
    ------
    DeviceConfigError
        If neither tells the power.
    """
    power_w = ratings.inverter_max_power_w if power_max_w is None else power_max_w
    if power_w is None:
        msg = f"{where} does not tell its power, as with a wrong token; give power_max_w"
        raise DeviceConfigError(msg)
    return BatteryLimits(
        charge_max_w=power_w,
        discharge_max_w=power_w,
        capacity_wh=ratings.capacity_wh if capacity_wh is None else capacity_wh,
    )


def _power_or_none(table: Mapping[str, object], key: str, where: str) -> float | None:
    return None if number_of(table, key) is None else power_of(table, key, where=where)
