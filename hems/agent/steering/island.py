"""Whether a house may leave the grid now: pure, and in doubt it may not."""

from dataclasses import dataclass

from devices.battery import BatteryState, MeterState
from devices.battery_bank import BatteryBank
from hems.controller import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class IslandCase:
    """What bears on it; None where it is not known, or too old to be used."""

    meter: MeterState | None
    """The meter."""
    battery: BatteryState | None
    """The battery."""
    decision: Decision | None
    """The controller's, while it stands."""
    ordered: bool
    """Whether an order stands, which outranks the controller."""
    charge_max_w: float
    """What the battery takes. [W]"""
    reserve_soc: float
    """What the agent keeps back, 0..1."""


def kept_on_grid(case: IslandCase, *, bank: BatteryBank, inverter_w: float) -> str | None:
    """Return why the house must hang on the grid; None where it may be an island.

    Parameters
    ----------
    case : IslandCase
        What bears on it.
    bank : BatteryBank
        The battery's ratings, one home; its window is not left as an island.
    inverter_w : float
        What the inverter carries alone. [W]
    """
    if case.meter is None or case.battery is None:
        return f"no {'meter' if case.meter is None else 'battery'} answers"
    if case.ordered:
        return "an order stands"
    if case.decision is None or case.decision.relay_closed is None:
        return "no decision asks for an island"
    if bool(case.decision.relay_closed[0]):
        return "the controller wants the grid"
    return _overload(case.meter, case.battery, bank, inverter_w=inverter_w) or _window(
        case.battery, case, bank
    )


def _overload(
    meter: MeterState, battery: BatteryState, bank: BatteryBank, *, inverter_w: float
) -> str | None:
    """Return what an island would ask too much of."""
    gives_w = min(inverter_w, -float(bank.terminal_power_w(-bank.power_max_w)[0]))
    if meter.load_w > inverter_w:
        return f"the load of {meter.load_w:.0f} W is more than the inverter's {inverter_w:.0f} W"
    deficit_w = meter.load_w - meter.pv_w
    if deficit_w > gives_w:
        return f"the house lacks {deficit_w:.0f} W, the battery gives {gives_w:.0f} W"
    # whatever the load's meter says: one that repeats itself hides a load from the lines above
    given_w = -battery.battery_power_w
    if given_w > gives_w:
        return f"the battery gives {given_w:.0f} W, its most is {gives_w:.0f} W"
    return None


def _window(battery: BatteryState, case: IslandCase, bank: BatteryBank) -> str | None:
    """Return which end of the battery's window an island would break."""
    floor = max(float(bank.soc_min[0]), case.reserve_soc)
    ceiling = float(bank.soc_max[0])
    surplus_w = 0.0 if case.meter is None else case.meter.pv_w - case.meter.load_w
    if battery.soc <= floor and surplus_w < 0:
        return f"the battery is at {100 * battery.soc:.1f} %, its floor is {100 * floor:.1f} %"
    if battery.soc >= ceiling and surplus_w > 0:
        return f"the battery is at {100 * battery.soc:.1f} %, its most is {100 * ceiling:.1f} %"
    if surplus_w > case.charge_max_w:
        return f"{surplus_w:.0f} W are left over, the battery takes {case.charge_max_w:.0f} W"
    return None
