"""What a REACT2 (ABB, FIMER) says and is told over REST: decoding, encoding, translation; no I/O.

Vendor's signs, as derived from captures of real systems: ``PbaT`` and ``Pba`` > 0 discharge,
``MeterPgrid_Tot`` > 0 exports. Both are turned in `to_state` and `to_meter`, and nowhere else.

Notes
-----
``PCh`` and ``PDh`` are lifetime peaks, not present powers, whatever their names promise. The write
side is Burgio 2023's (§3.1); no document of the vendor confirms it, so its open questions are
settings of the driver and options of the emulator.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from devices.battery import BatteryState, MeterState
from devices.drivers.json_values import number_of, parse_json, power_of, table_of, text_of
from devices.errors import DeviceReplyError

Points = Mapping[str, object]
"""The points of one device, by name."""
_MARK: Final = {"inverter": "PbaT", "battery": "Pba", "meter": "MeterPgrid_Tot"}
"""The point that gives a device away whose kind is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveData:
    """``/v1/livedata`` sorted by kind of device, in the vendor's names, units and signs."""

    inverter: Points
    """Points of the inverter."""
    batteries: tuple[Points, ...]
    """Points of each battery."""
    meter: Points
    """Points of the meter; empty where there is none."""


def decode_livedata(body: bytes, where: str, *, inverter_id: str | None = None) -> LiveData:
    """Return what ``GET /v1/livedata`` answered.

    Parameters
    ----------
    body : bytes
        As received, UTF-8 or Latin-1.
    where : str
        What messages call it.
    inverter_id : str, optional
        Which inverter, where a logger has several; None takes the first with a battery.

    Raises
    ------
    DeviceReplyError
        If it is no live data, or shows no such inverter.
    """
    table = table_of(parse_json(body, where), where)
    devices = {key: value for key, value in table.items() if isinstance(value, dict)}
    inverters = _of_kind(devices, "inverter")
    if inverter_id is None:
        ranked = sorted(inverters.values(), key=lambda points: _MARK["inverter"] not in points)
        inverter = ranked[0] if ranked else None
    else:
        inverter = inverters.get(inverter_id)
    if inverter is None:
        wanted = "inverter" if inverter_id is None else f"inverter {inverter_id}"
        msg = f"{where} shows no {wanted} among {len(table)} devices; see its configuration"
        raise DeviceReplyError(msg)
    meters = sorted(
        _of_kind(devices, "meter").values(), key=lambda points: _MARK["meter"] not in points
    )
    return LiveData(
        inverter=inverter,
        batteries=tuple(_of_kind(devices, "battery").values()),
        meter=meters[0] if meters else {},
    )


def to_state(live: LiveData, where: str, *, commanded: bool, state_point: str) -> BatteryState:
    """Return the battery's state in our signs.

    Parameters
    ----------
    live : LiveData
        As decoded.
    where : str
        What messages call it.
    commanded : bool
        Whether a command of ours is in force; believed where ``state_point`` is missing.
    state_point : str
        Inverter's point that is above 0 while it is controlled from outside.

    Raises
    ------
    DeviceReplyError
        If power or state of charge are missing or out of range.
    """
    controlled = number_of(live.inverter, state_point)
    return BatteryState(
        soc=_soc(live, where),
        battery_power_w=0.0 - _discharge_w(live, where),  # 0 stays 0, not -0
        following=not commanded if controlled is None else controlled <= 0,
        soh=_soh(live.batteries),
        temperature_c=_mean(live.batteries, "Tba", low=-50, high=120),
    )


def to_meter(live: LiveData, where: str) -> MeterState:
    """Return the meter's reading in our signs; production is the inverter's DC input.

    A load that is not told is the inverter's output and what comes from the grid.

    Raises
    ------
    DeviceReplyError
        If there is no meter, or a value is missing or out of range.
    """
    if not live.meter:
        msg = f"{where} shows no meter; read the house with another device"
        raise DeviceReplyError(msg)
    grid_power_w = 0.0 - power_of(live.meter, "MeterPgrid_Tot", where=where)
    if number_of(live.meter, "HousePgrid_Tot") is None:
        load_w = power_of(live.inverter, "Pgrid", where=where) + grid_power_w
    else:
        load_w = power_of(live.meter, "HousePgrid_Tot", where=where)
    return MeterState(
        load_w=max(load_w, 0.0),
        pv_w=max(power_of(live.inverter, "Pin", where=where), 0.0),
        grid_power_w=grid_power_w,
    )


def rated_power_w(live: LiveData, where: str) -> float:
    """Return the inverter's rating ``WRtg``. [W]

    Raises
    ------
    DeviceReplyError
        If it is missing or no power.
    """
    rated_w = power_of(live.inverter, "WRtg", where=where)
    if rated_w <= 0:
        msg = f"{where}: WRtg is {rated_w:g}, must be above 0; give reference_w"
        raise DeviceReplyError(msg)
    return rated_w


def encode_command(
    battery_power_w: float, *, hold_s: float, reference_w: float, charge_sign: int
) -> dict[str, int]:
    """Return the body that has a terminal power held.

    Parameters
    ----------
    battery_power_w : float
        Terminal power, > 0 charges. [W]
    hold_s : float
        How long, until it expires. [s]
    reference_w : float
        What 100 percent is. [W]
    charge_sign : int
        1 if positive percents charge, -1 if they discharge.
    """
    percent = round(100 * battery_power_w / reference_w) * charge_sign
    return {"timeout": max(round(hold_s * 1000), 1), "setpoint_percent": percent}


def require_done(body: bytes, where: str) -> None:
    """Raise `DeviceReplyError` if a write was answered with a page for people.

    What a device answers is not documented; any JSON, any text and nothing count as done.
    """
    if body.lstrip().startswith(b"<"):
        parse_json(body, where)


def _of_kind(devices: Mapping[str, Mapping[str, object]], kind: str) -> Mapping[str, Points]:
    """Return the points of the devices of a kind, by identity."""
    found: dict[str, Points] = {}
    for identity, device in devices.items():
        points, told = _points(device), text_of(device, "device_type")
        if told.lower().startswith(kind) if told else _MARK[kind] in points:
            found[identity] = points
    return found


def _points(device: Mapping[str, object]) -> Points:
    """Return a device's points by name, those that are none left out."""
    listed = device.get("points")
    if not isinstance(listed, list):
        return {}
    return {
        point["name"]: point.get("value")
        for point in listed
        if isinstance(point, dict) and isinstance(point.get("name"), str)
    }


def _discharge_w(live: LiveData, where: str) -> float:
    """Return the power of all batteries in the vendor's sign. [W]"""
    if number_of(live.inverter, "PbaT") is None and live.batteries:
        return sum(power_of(each, "Pba", where=where) for each in live.batteries)
    return power_of(live.inverter, "PbaT", where=where)


def _soc(live: LiveData, where: str) -> float:
    # gauges round a point beyond either end
    mean = _mean([live.inverter], "TSoc", low=-1, high=101)
    if mean is None:
        mean = _mean(live.batteries, "Soc", low=-1, high=101)
    if mean is None:
        msg = f"{where}: TSoc is {live.inverter.get('TSoc')!r:.40}, must be 0..100; ask again"
        raise DeviceReplyError(msg)
    return min(max(mean / 100, 0.0), 1.0)


def _soh(batteries: Iterable[Points]) -> float | None:
    mean = _mean(batteries, "Soh", low=0, high=100)
    return None if mean is None else mean / 100


def _mean(devices: Iterable[Points], name: str, *, low: float, high: float) -> float | None:
    """Return the mean of the values that are there and possible, None without any."""
    told = [number_of(points, name) for points in devices]
    values = [value for value in told if value is not None and low <= value <= high]
    return sum(values) / len(values) if values else None
