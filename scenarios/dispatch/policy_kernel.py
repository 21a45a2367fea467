"""What each policy asks of the battery in a step, and what sources leave of it; compiled."""

from typing import NamedTuple

from devices.arrays import FloatArray, IntArray
from hems.dispatch.day_target import NO_PEAK_W, shave_target_w
from hems.mpc_kernel import compiled, put
from scenarios.dispatch.battery_kernel import Plant, Site, window_wh
from scenarios.dispatch.inlined import inlined

PEAK, TARGET, INPUT, MANUAL = range(4)
"""The policies."""
MONTH, REACHED, HELD, WINDOW, MEMORIES = range(5)
"""What a policy remembers: month, highest target of the month, target of the day, and the energy of
the window when it was new."""
MANUAL_RESERVE = 0.01
"""Above this the lower end of the window, manual dispatch discharges by its percentage."""

day_target_w = compiled(shave_target_w)
"""`hems.dispatch.day_target.shave_target_w`, compiled."""


class Order(NamedTuple):
    """What the battery is told; series are of one year."""

    kind: int
    """Which policy."""
    month: IntArray
    """Month of each step, 0..11, shape (steps,)."""
    behind: bool
    """Peak shaving takes yesterday for today."""
    at_midnight: bool
    """Peak shaving fixes the day's powers at midnight, as SAM did until 2021."""
    margin: float
    """Share that peak shaving raises its target by."""
    counted_efficiency: float
    """Share of chargeable energy that peak shaving counts on."""
    target_w: FloatArray
    """Import wanted in each month, shape (12,). [W]"""
    power_w: FloatArray
    """Power asked for in each step, > 0 charges, shape (steps,). [W]"""
    period: IntArray
    """Period of each step, shape (steps,)."""
    pv: IntArray
    """1 where a period lets PV charge, shape (periods,)."""
    grid: IntArray
    """1 where a period lets the grid charge, shape (periods,)."""
    discharge: IntArray
    """1 where a period lets it discharge, shape (periods,)."""
    out_share: FloatArray
    """Share of the window to discharge in an hour, shape (periods,)."""
    in_share: FloatArray
    """Share of the window that the grid charges in an hour, shape (periods,)."""


class Year(NamedTuple):
    """A year's series, and what peak shaving expects of its day."""

    load_w: FloatArray
    """Demand. [W]"""
    pv_w: FloatArray
    """Production. [W]"""
    net_w: FloatArray
    """Demand less production. [W]"""
    eve_w: FloatArray
    """The same on the day before the year, shape (steps of a day,). [W]"""
    day_w: FloatArray
    """The same as expected for the present day, shape (steps of a day,). [W]"""


class Now(NamedTuple):
    """Where a run stands."""

    step: int
    """Step of the year."""
    soc: float
    """State of charge."""
    target_w: float
    """Target of the day. [W]"""
    whole_wh: float
    """Energy of the window when it was new. [Wh]"""


class Asked(NamedTuple):
    """What a policy asks, and where a charge would come from."""

    cell_w: float
    """Power into the cells. [W]"""
    pv_w: float
    """Production that may charge. [W]"""


@compiled
def remember(site: Site, memory: FloatArray) -> None:
    """Set the memory of a policy at the start of a run."""
    memory[:] = 0.0
    memory[MONTH] = -1
    memory[WINDOW] = window_wh(site)


@compiled
def look(  # noqa: PLR0917 -- compiled code takes no keywords
    site: Site, order: Order, year: Year, memory: FloatArray, step: int
) -> None:
    """Begin a month, and at midnight set the target of the day."""
    if order.month[step] != memory[MONTH]:
        memory[MONTH], memory[REACHED] = order.month[step], NO_PEAK_W
    step_h, per_day = site.plant.step_h, year.day_w.size
    if order.kind != PEAK or step % per_day:
        return
    put(year.day_w, year.net_w[step : step + per_day])
    if order.behind:
        before = year.net_w[step - per_day : step] if step else year.eve_w
        # SAM of today sees the first step of the day as it is
        known = 0 if order.at_midnight else 1
        put(year.day_w[known:], before[known:])
    memory[HELD] = memory[REACHED] = day_target_w(
        year.day_w, step_h, window_wh(site), memory[REACHED], order.counted_efficiency, order.margin
    )


@inlined
def ask(plant: Plant, order: Order, year: Year, now: Now) -> Asked:
    """Return what the policy asks of the battery in a step."""
    step = now.step
    load_w, pv_w = year.load_w[step], year.pv_w[step]
    net_w = load_w - pv_w
    if order.kind == MANUAL:
        return _by_period(plant, order, now, load_w, pv_w)
    if order.kind == INPUT:
        return _by_power(plant, order.power_w[step], load_w, pv_w)
    target_w = order.target_w[order.month[step]] if order.kind == TARGET else now.target_w
    seen_w = net_w
    if order.kind == PEAK and order.at_midnight:
        seen_w = year.day_w[step % year.day_w.size]
    wanted_w = target_w - seen_w
    if plant.charges_from_pv and pv_w > load_w:
        # what would be exported charges, whatever the target says
        wanted_w = max(wanted_w, pv_w - load_w)
    return _by_power(plant, wanted_w, load_w, pv_w)


@compiled
def _free_w(plant: Plant, load_w: float, pv_w: float) -> float:
    """Return production that may charge where PV may at all. [W]"""
    return max(pv_w - load_w, 0.0) if plant.only_surplus else pv_w


@compiled
def _by_power(plant: Plant, wanted_w: float, load_w: float, pv_w: float) -> Asked:
    """Return what a power wanted at the AC side comes to; nothing is discharged into the grid."""
    if wanted_w < 0:
        return Asked(-min(-wanted_w, max(load_w - pv_w, 0.0)) / plant.to_load, 0.0)
    free_w = _free_w(plant, load_w, pv_w) if plant.charges_from_pv else 0.0
    from_pv = min(wanted_w, free_w)
    from_grid = wanted_w - from_pv if plant.charges_from_grid else 0.0
    return Asked(from_pv * plant.from_pv + from_grid * plant.from_grid, free_w)


@compiled
def _by_period(  # noqa: PLR0917 -- compiled code takes no keywords
    plant: Plant, order: Order, now: Now, load_w: float, pv_w: float
) -> Asked:
    """Return what a period of manual dispatch asks for."""
    period, net_w = order.period[now.step], load_w - pv_w
    pv, grid = order.pv[period] == 1, order.grid[period] == 1
    flexible = pv and not plant.only_surplus
    if net_w > 0 and order.discharge[period] == 1:
        out_w = order.out_share[period] * now.whole_wh
        if now.soc > plant.soc_min + MANUAL_RESERVE:
            return Asked(-min(out_w, net_w / plant.to_load), 0.0)
        if flexible and not grid:
            # near the end SAM takes load less PV for a power of the cells, of the sign of discharge
            return Asked(-min(out_w, net_w), 0.0)
    free_w = _free_w(plant, load_w, pv_w) if pv else 0.0
    # SAM takes the surplus at the AC side for a power of the cells
    surplus_w = max(-net_w, 0.0) * (1.0 if flexible else plant.from_pv) if pv else 0.0
    if grid:
        return Asked(max(order.in_share[period] * now.whole_wh, surplus_w), free_w)
    return Asked(min(surplus_w, free_w * plant.from_pv), free_w)
