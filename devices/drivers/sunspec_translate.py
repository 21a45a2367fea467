"""From SunSpec's models to our values and back: pure; the sign is turned here and nowhere else.

SunSpec's sign: what flows out of the inverter, or out of the battery's port, is > 0. Ours: > 0 is
what flows into the battery.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from devices.battery import BatteryLimits, BatteryState, MeterState
from devices.drivers.sunspec_codec import Block
from devices.errors import DeviceRefusedError, DeviceReplyError

Blocks = Mapping[int, Block]
"""What was read, by the model's number."""

_INVERTERS: Final = (701, 103, 102, 101, 113, 112, 111)
_METERS: Final = (203, 202, 201, 204, 213, 212, 211, 214)
_STORES: Final = (713, 802, 124)
_RATINGS: Final = (702, 120, 124, 713, 802)
_STORAGE_PORT: Final = 1
_PV_PORT: Final = 0
_OVERLOAD: Final = 1.5
"""How much more than its rating a battery may show before we do not believe it."""
_SOC_MOST: Final = 1.005
"""A full battery may show a little more than 1: it is rounded where it is counted."""
_HZ_LEAST: Final = 40.0
_HZ_MOST: Final = 70.0
_LEAST_W: Final = 1e-3
"""A power below this and not zero is no power: two words of a number in the wrong order. [W]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which models of a device are read and written for what."""

    inverter: int | None
    """Power on the AC side."""
    ports: int | None
    """Power of the battery's own port, where production shares the AC side: 714, 160 or 802."""
    store: int
    """State of charge."""
    control: int | None
    """Set-points: 704, 124 or none."""
    meter: int | None
    """The grid connection."""

    @property
    def state_models(self) -> tuple[int, ...]:
        """What a read of the battery takes."""
        wanted = (self.ports or self.inverter, self.store, self.control)
        return tuple(sorted({each for each in wanted if each is not None}))

    @property
    def meter_models(self) -> tuple[int, ...]:
        """What a read of the meter takes."""
        wanted = (self.meter, self.inverter, self.ports)
        return tuple(sorted({each for each in wanted if each is not None}))


def rating_models(have: Collection[int]) -> tuple[int, ...]:
    """Return the models that are read once, for ratings and for what is implemented."""
    wanted = (*_RATINGS, 704, 714, 160)
    return tuple(each for each in wanted if each in have)


def plan_of(have: Collection[int], blocks: Blocks, *, control: str, power: str, name: str) -> Plan:
    """Return what is read and written of a device.

    Parameters
    ----------
    have : Collection[int]
        The models that it has.
    blocks : Blocks
        Those of `rating_models`.
    control, power : str
        ``auto``, or the model to use; ``ac`` takes the battery's power from the AC side.
    name : str
        The device, for messages.

    Raises
    ------
    DeviceRefusedError
        If it has no battery, or not the model asked for.
    """
    store = next((each for each in _STORES if _soc_of(each, blocks) is not None), None)
    if store is None:
        msg = f"{name}: none of its SunSpec models tells a state of charge; is there a battery?"
        raise DeviceRefusedError(msg)
    inverter = next((each for each in _INVERTERS if each in have), None)
    ports = _ports(blocks) if power == "auto" else None if power == "ac" else int(power)
    controls = [each for each in (704, 124) if _controllable(each, blocks)]
    if control != "auto":
        controls = [int(control)]
    _require_models(have, [each for each in (ports, *controls) if each is not None], name)
    if inverter is None and ports is None:
        msg = f"{name}: none of its SunSpec models tells the battery's power; set battery_power"
        raise DeviceRefusedError(msg)
    return Plan(
        inverter=inverter,
        ports=ports,
        store=store,
        control=controls[0] if controls else None,
        meter=next((each for each in _METERS if each in have), None) if inverter else None,
    )


def _require_models(have: Collection[int], wanted: Collection[int], name: str) -> None:
    missing = [str(each) for each in wanted if each not in have]
    if missing:
        there = ", ".join(map(str, sorted(have)))
        msg = f"{name}: no SunSpec model {', '.join(missing)}; it has {there}"
        raise DeviceRefusedError(msg)


def limits_of(blocks: Blocks, plan: Plan, *, from_grid: bool, name: str) -> BatteryLimits:
    """Return what the battery can do, from the models of `rating_models`.

    Raises
    ------
    DeviceReplyError
        If no model rates it, or one rates it at nothing.
    """
    charge_w = rated(blocks, _CHARGE_RATINGS)
    discharge_w = rated(blocks, _DISCHARGE_RATINGS)
    capacity_wh = rated(blocks, ((713, "WHRtg"), (802, "WHRtg"), (120, "WHRtg")))
    if plan.control == 124:  # its rates are shares of these
        charge_w, discharge_w = references_w(blocks)
    if charge_w is None or discharge_w is None:
        msg = f"{name}: none of its SunSpec models rates the battery's power; ask again"
        raise DeviceReplyError(msg)
    for what, value in (("charge", charge_w), ("discharge", discharge_w), ("Wh", capacity_wh)):
        if value is not None and not 0 < value < 1e9:
            msg = f"{name}: a rating of {value} ({what}) cannot be; ask again"
            raise DeviceReplyError(msg)
    return BatteryLimits(
        charge_max_w=charge_w,
        discharge_max_w=discharge_w,
        capacity_wh=capacity_wh,
        charges_from_grid=from_grid or number(blocks.get(124, {}), "ChaGriSet") != 0,
    )


_CHARGE_RATINGS: Final = (
    (702, "WChaRteMax"),
    (702, "WChaRteMaxRtg"),
    (120, "MaxChaRte"),
    (124, "WChaMax"),
    (802, "WChaRteMax"),
    (702, "WMaxRtg"),
    (120, "WRtg"),
)
_DISCHARGE_RATINGS: Final = (
    (702, "WDisChaRteMax"),
    (702, "WDisChaRteMaxRtg"),
    (120, "MaxDisChaRte"),
    (124, "WChaMax"),
    (802, "WDisChaRteMax"),
    (702, "WMaxRtg"),
    (120, "WRtg"),
)


def references_w(blocks: Blocks) -> tuple[float | None, float | None]:
    """Return the powers of which model 124's charge and discharge rates are percent. [W]"""
    charge_w = rated(blocks, ((124, "WChaMax"), (120, "MaxChaRte")))
    return charge_w, rated(blocks, ((120, "MaxDisChaRte"), (124, "WChaMax")))


def state_of(blocks: Blocks, plan: Plan, limits: BatteryLimits, *, name: str) -> BatteryState:
    """Return the battery's state.

    Raises
    ------
    DeviceReplyError
        If what is necessary is not implemented, or cannot be.
    """
    soc = _soc_of(plan.store, blocks)
    if soc is None or not 0 <= soc <= _SOC_MOST:
        msg = f"{name}: a state of charge of {soc} cannot be (SunSpec {plan.store}); ask again"
        raise DeviceReplyError(msg)
    soh = number(blocks.get(plan.store, {}), "SoH")
    return BatteryState(
        soc=min(soc, 1.0),
        battery_power_w=_battery_w(blocks, plan, limits, name),
        following=following(blocks, plan),
        soh=None if soh is None or not 0 < soh <= 100 else soh / 100,
        temperature_c=_temperature_c(blocks.get(714, {})),
    )


def following(blocks: Blocks, plan: Plan) -> bool:
    """Return whether no set-point stands, as the model for control says."""
    if plan.control == 704:
        return number(blocks[704], "WSetEna") != 1
    if plan.control == 124:
        return int(number(blocks[124], "StorCtl_Mod") or 0) & 3 == 0
    return True


def meter_of(
    blocks: Blocks, plan: Plan, limits: BatteryLimits, *, export_positive: bool, name: str
) -> MeterState:
    """Return what the meter reads; production is what the AC side shows beyond the battery.

    Counters are named for what they count, whichever sign the meter's power has.

    Raises
    ------
    DeviceReplyError
        If what is necessary is not implemented, or cannot be.
    """
    shown_w = _ac_power(blocks[plan.meter or 0], name)
    grid_power_w = -shown_w if export_positive else shown_w
    inverter_w = _ac_power(blocks[plan.inverter or 0], name)
    # without ports of its own the AC side is the battery's alone
    battery_w = -inverter_w if plan.ports is None else _battery_w(blocks, plan, limits, name)
    import_wh, export_wh = _counters_wh(blocks[plan.meter or 0])
    return MeterState(
        load_w=max(grid_power_w + inverter_w, 0.0),
        pv_w=max(inverter_w + battery_w, 0.0),
        grid_power_w=grid_power_w,
        import_wh=import_wh,
        export_wh=export_wh,
    )


def _counters_wh(block: Block) -> tuple[float, float] | tuple[None, None]:
    """Return what a meter has counted in and out; neither where one is not implemented. [Wh]

    A counter of whole numbers says so by 0: a new meter has none until both have moved.
    """
    import_wh, export_wh = number(block, "TotWhImp"), number(block, "TotWhExp")
    if import_wh is None or export_wh is None or min(import_wh, export_wh) < 0:
        return None, None
    return float(import_wh), float(export_wh)


def number(block: Block, name: str) -> float | None:
    """Return a number of a block, None where it is absent or not implemented."""
    value = block.get(name)
    return value if isinstance(value, int | float) else None


def rated(blocks: Blocks, places: Collection[tuple[int, str]]) -> float | None:
    """Return the first rating above zero of several places; else the first that is there."""
    found = [number(blocks.get(model_id, {}), name) for model_id, name in places]
    there = [value for value in found if value is not None]
    return next((value for value in there if value > 0), there[0] if there else None)


def _soc_of(model_id: int, blocks: Blocks) -> float | None:
    name = "ChaState" if model_id == 124 else "SoC"
    percent = number(blocks.get(model_id, {}), name)
    return None if percent is None else percent / 100


def _controllable(model_id: int, blocks: Blocks) -> bool:
    """Return whether a model for control is there and implemented."""
    names = {704: ("WSetEna", "WSet"), 124: ("StorCtl_Mod", "OutWRte", "InWRte")}[model_id]
    block = blocks.get(model_id, {})
    return all(block.get(name) is not None for name in names)


def _ports(blocks: Blocks) -> int | None:
    """Return the model that tells the battery from the sun, where both share the AC side."""
    kinds = {kind for kind, _ in _ports_714(blocks.get(714, {}))}
    if {_PV_PORT, _STORAGE_PORT} <= kinds:
        return 714
    names = [name for name, _ in _modules_160(blocks.get(160, {}))]
    return 160 if any(name.startswith(("StCha", "StDisCha")) for name in names) else None


def _ports_714(block: Block) -> Iterator[tuple[float | None, int]]:
    """Yield type and index of the ports."""
    index = 0
    while f"Prt[{index}].PrtTyp" in block:
        yield number(block, f"Prt[{index}].PrtTyp"), index
        index += 1


def _modules_160(block: Block) -> Iterator[tuple[str, int]]:
    """Yield name and index of the trackers; Fronius names the battery's StCha and StDisCha."""
    index = 0
    while f"module[{index}].IDStr" in block:
        yield str(block[f"module[{index}].IDStr"]), index
        index += 1


def _battery_w(blocks: Blocks, plan: Plan, limits: BatteryLimits, name: str) -> float:
    """Return the battery's power, our sign, if it can be. [W]"""
    if plan.ports is None:
        power_w = -_ac_power(blocks[plan.inverter or 0], name)
    elif plan.ports == 714:
        block = blocks[714]
        batteries = [i for kind, i in _ports_714(block) if kind == _STORAGE_PORT]
        power_w = -sum(_power(block, f"Prt[{i}].DCW", name) for i in batteries)
        if not batteries:
            msg = f"{name}: SunSpec 714 shows no port with a battery any more; ask again"
            raise DeviceReplyError(msg)
    elif plan.ports == 160:
        power_w = _trackers_w(blocks[160], name)
    else:
        power_w = -_power(blocks[plan.ports], "W", name)
    if not -_OVERLOAD * limits.discharge_max_w <= power_w <= _OVERLOAD * limits.charge_max_w:
        msg = f"{name}: {power_w:g} W is beyond what the battery can do; ask again"
        raise DeviceReplyError(msg)
    return power_w


def _trackers_w(block: Block, name: str) -> float:
    """Return the power of the trackers of charge and discharge; the idle one may hide. [W]"""
    powers_w = []
    for tracker, index in _modules_160(block):
        point = f"module[{index}].DCW"
        if block.get(point) is not None and tracker.startswith(("StCha", "StDisCha")):
            shown_w = _power(block, point, name)
            powers_w.append(shown_w if tracker.startswith("StCha") else -shown_w)
    if not powers_w:
        msg = f"{name}: SunSpec 160 shows no power of the battery; ask again"
        raise DeviceReplyError(msg)
    return sum(powers_w)


def _ac_power(block: Block, name: str) -> float:
    """Return an AC power, if the frequency beside it is one: it tells swapped words and scales."""
    frequency_hz = number(block, "Hz")
    if frequency_hz and not _HZ_LEAST <= frequency_hz <= _HZ_MOST:
        where = f"{name}: SunSpec {block.get('ID')}"
        msg = f"{where} shows {frequency_hz:g} Hz, so its power is not believed; ask again"
        raise DeviceReplyError(msg)
    return _power(block, "W", name)


def _power(block: Block, point: str, name: str) -> float:
    value = number(block, point)
    if value is None or 0 < abs(value) < _LEAST_W or abs(value) > 1e9:
        msg = (
            f"{name}: a power of {value} W cannot be (SunSpec {block.get('ID')}.{point}); ask again"
        )
        raise DeviceReplyError(msg)
    return value


def _temperature_c(block: Block) -> float | None:
    """Return the temperature at the battery's port, where it is told and can be. [°C]"""
    for kind, index in _ports_714(block):
        value = number(block, f"Prt[{index}].Tmp")
        if kind == _STORAGE_PORT and value is not None and -60 <= value <= 120:
            return value
    return None
