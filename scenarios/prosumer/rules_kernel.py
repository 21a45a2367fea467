"""The rules of `hems.prosumer_rules` in compiled code, home by home.

The docstrings there tell why; here is only how. Sharing out needs no sorting by slot: the hours of
all slots come in the order of their price, and each takes from its own slot's budget.
"""

from typing import NamedTuple

import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.mpc_kernel import compiled
from hems.prosumer_rules import FREE_HOURS


class Homes(NamedTuple):
    """Batteries; every array has shape (homes,)."""

    stored_wh: FloatArray
    """Energy in the cells. [Wh]"""
    low_wh: FloatArray
    """Lower end of the window. [Wh]"""
    high_wh: FloatArray
    """Upper end of the window. [Wh]"""
    half_wh: FloatArray
    """Least target of a day's last positive slot. [Wh]"""
    most_wh: FloatArray
    """What the cells take or give in a step at most. [Wh]"""
    eta_c: FloatArray
    """Cells over terminals when charging."""
    eta_d: FloatArray
    """Terminals over cells when discharging."""
    correction_wh: FloatArray
    """What past errors add to targets, at the cells. [Wh]"""


class Ahead(NamedTuple):
    """The hours ahead; prices have a row per home, or one for all."""

    load_wh: FloatArray
    """Shape (homes, hours). [Wh]"""
    pv_wh: FloatArray
    """Shape (homes, hours). [Wh]"""
    imports: FloatArray
    """Price of import, shape (rows, hours). [micro/Wh]"""
    exports: FloatArray
    """Price of export, likewise. [micro/Wh]"""
    dearest: IntArray
    """Hours by price of import, the dearest first, shape (rows, hours)."""
    cheapest: IntArray
    """Hours by price of export, the cheapest first, shape (rows, hours)."""
    day: IntArray
    """Shape (hours,)."""
    wear: float
    """Ageing by energy into or out of the cells. [micro/Wh]"""


class Switches(NamedTuple):
    """Counter-measures for the first hour, and what decides it."""

    cover_dearest: bool
    store_cheapest: bool
    cover_missing_surplus: bool
    release_plenty: bool
    by_worth: bool
    trade: bool


class Plans(NamedTuple):
    """What comes out; arrays of shape (homes, hours), the last four (homes,)."""

    cells_wh: FloatArray
    battery_wh: FloatArray
    stored_wh: FloatArray
    grid_wh: FloatArray
    cost_micro: FloatArray
    wear_micro: FloatArray
    low_wh: FloatArray
    high_wh: FloatArray


class Slots(NamedTuple):
    """Workspace of one home; a slot's place is its number, arrays of shape (hours,)."""

    number: IntArray
    positive: IntArray
    most_wh: FloatArray
    totals_wh: FloatArray
    ends_wh: FloatArray
    wanted_wh: FloatArray


class Case(NamedTuple):
    """All of the above, as the functions below hand it on."""

    homes: Homes
    ahead: Ahead
    switches: Switches
    plans: Plans
    slots: Slots


@compiled
def plan_homes(homes: Homes, ahead: Ahead, switches: Switches, plans: Plans) -> None:
    """Plan every home into ``plans``."""
    hours = ahead.day.shape[0]
    slots = Slots(
        np.empty(hours, np.int64),
        np.empty(hours, np.int64),
        np.empty(hours),
        np.empty(hours),
        np.empty(hours),
        np.empty(4),
    )
    case = Case(homes, ahead, switches, plans, slots)
    for home in range(homes.stored_wh.shape[0]):
        if switches.by_worth:
            _leave_by_worth(case, home)
            net_wh = ahead.pv_wh[home, 0] - ahead.load_wh[home, 0]
            wish_wh = min(max(net_wh, plans.low_wh[home]), plans.high_wh[home])
            share = homes.eta_c[home] if wish_wh >= 0 else 1 / homes.eta_d[home]
            plans.cells_wh[home, 0] = wish_wh * share
            _carry(case, home, 0, 1)
            if hours > 1:
                _by_slots(case, home, 1)
                _carry(case, home, 1, hours)
        else:
            _by_slots(case, home, 0)
            _carry(case, home, 0, hours)
            _leave(case, home)


@compiled
def _row(ahead: Ahead, home: int) -> int:
    """Return the row of a home's prices."""
    return home if ahead.imports.shape[0] > 1 else 0


@compiled
def _by_slots(case: Case, home: int, begin: int) -> None:
    """Share each slot's budget out to its hours, from ``begin`` on."""
    slots, plans, ahead = case.slots, case.plans, case.ahead
    hours, row = ahead.day.shape[0], _row(ahead, home)
    count = _cut(case, home, begin)
    _set_ends(case, home, begin, count)
    stored_wh = case.homes.stored_wh[home] if begin == 0 else plans.stored_wh[home, begin - 1]
    for slot in range(count):
        sign = 1.0 if slots.positive[slot] else -1.0
        missing_wh = (slots.ends_wh[slot] - stored_wh) * sign
        # from here on the place of a slot's end holds its budget
        slots.ends_wh[slot] = min(max(missing_wh, 0.0), slots.totals_wh[slot])
        stored_wh += sign * slots.ends_wh[slot]
    for place in range(hours):
        for kind in range(2):
            hour = ahead.cheapest[row, place] if kind else ahead.dearest[row, place]
            if hour >= begin and slots.positive[slots.number[hour]] == kind:
                slot = slots.number[hour]
                given_wh = min(slots.ends_wh[slot], slots.most_wh[hour])
                slots.ends_wh[slot] -= given_wh
                plans.cells_wh[home, hour] = given_wh if kind else -given_wh


@compiled
def _cut(case: Case, home: int, begin: int) -> int:
    """Return how many slots there are, numbered, with the sum of what each can move."""
    slots, ahead = case.slots, case.ahead
    slot = -1
    for hour in range(begin, ahead.day.shape[0]):
        net_wh = ahead.pv_wh[home, hour] - ahead.load_wh[home, hour]
        positive = 1 if net_wh > 0 else 0
        if slot < 0 or positive != slots.positive[slot]:
            slot += 1
            slots.positive[slot] = positive
            slots.totals_wh[slot] = 0.0
        share = case.homes.eta_c[home] if positive else -1 / case.homes.eta_d[home]
        slots.number[hour] = slot
        slots.most_wh[hour] = min(net_wh * share, case.homes.most_wh[home])
        slots.totals_wh[slot] += slots.most_wh[hour]
    return slot + 1


@compiled
def _set_ends(case: Case, home: int, begin: int, count: int) -> None:
    """Set what shall be stored at the end of each slot."""
    slots, homes, day = case.slots, case.homes, case.ahead.day
    low_wh, high_wh = homes.low_wh[home], homes.high_wh[home]
    wanted_wh = low_wh
    for slot in range(count - 1, -1, -1):
        slots.ends_wh[slot] = wanted_wh
        total_wh = slots.totals_wh[slot]
        wanted_wh += -total_wh if slots.positive[slot] else total_wh
        wanted_wh = min(max(wanted_wh, low_wh), high_wh)
    marked = day[-1] + 1
    for hour in range(day.shape[0] - 1, begin - 1, -1):
        slot = slots.number[hour]
        if slots.positive[slot] and day[hour] != marked:
            marked = day[hour]
            slots.ends_wh[slot] = max(slots.ends_wh[slot], homes.half_wh[home])
    for slot in range(count):
        if slots.positive[slot]:
            target_wh = slots.ends_wh[slot] + homes.correction_wh[home]
            slots.ends_wh[slot] = min(target_wh, high_wh)
        else:
            slots.ends_wh[slot] = low_wh


@compiled
def _carry(case: Case, home: int, begin: int, end: int) -> None:
    """Do what was planned as far as power and window allow, and reckon up."""
    homes, ahead, plans = case.homes, case.ahead, case.plans
    row = _row(ahead, home)
    eta_c, eta_d, most_wh = homes.eta_c[home], homes.eta_d[home], homes.most_wh[home]
    before_wh = homes.stored_wh[home] if begin == 0 else plans.stored_wh[home, begin - 1]
    for hour in range(begin, end):
        low_wh, high_wh = min(homes.low_wh[home], before_wh), max(homes.high_wh[home], before_wh)
        cells_wh = min(max(plans.cells_wh[home, hour], -most_wh), most_wh)
        after_wh = min(max(before_wh + cells_wh, low_wh), high_wh)
        cells_wh = after_wh - before_wh
        battery_wh = cells_wh / eta_c if cells_wh >= 0 else cells_wh * eta_d
        grid_wh = battery_wh - ahead.pv_wh[home, hour] + ahead.load_wh[home, hour]
        price = ahead.imports[row, hour] if grid_wh > 0 else ahead.exports[row, hour]
        plans.cells_wh[home, hour] = cells_wh
        plans.battery_wh[home, hour] = battery_wh
        plans.stored_wh[home, hour] = after_wh
        plans.grid_wh[home, hour] = grid_wh
        plans.cost_micro[home] += grid_wh * price
        plans.wear_micro[home] += abs(cells_wh) * ahead.wear
        before_wh = after_wh


@compiled
def _leave(case: Case, home: int) -> None:
    """Set what the first hour may do: as planned, or more by counter-measures."""
    ahead, switches, plans, slots = case.ahead, case.switches, case.plans, case.slots
    row, first_wh = _row(ahead, home), plans.battery_wh[home, 0]
    low_wh, high_wh = min(first_wh, 0.0), max(first_wh, 0.0)
    if slots.positive[0]:
        if switches.cover_missing_surplus:
            low_wh = -np.inf
        if switches.store_cheapest and _among_first(ahead.exports[row], slots, 1.0):
            high_wh = np.inf
    else:
        left_wh = case.homes.stored_wh[home] - case.homes.low_wh[home]
        plenty = switches.release_plenty and left_wh > slots.totals_wh[0]
        dear = switches.cover_dearest and _among_first(ahead.imports[row], slots, -1.0)
        if plenty or dear:
            low_wh = -np.inf
    plans.low_wh[home], plans.high_wh[home] = low_wh, high_wh


@compiled
def _among_first(price: FloatArray, slots: Slots, sign: float) -> bool:
    """Return whether the first hour is among the best of its slot."""
    better = 0
    for hour in range(price.shape[0]):
        if slots.number[hour] == 0 and sign * price[hour] < sign * price[0]:
            better += 1
    return better < FREE_HOURS


@compiled
def _leave_by_worth(case: Case, home: int) -> None:
    """Set what the first hour may do by the worth of what is stored: `hems.prosumer_worth`."""
    homes, plans, wanted_wh = case.homes, case.plans, case.slots.wanted_wh
    _set_wanted(case, home)
    most_wh, eta_c, eta_d = homes.most_wh[home], homes.eta_c[home], homes.eta_d[home]
    above_wh = homes.stored_wh[home] - min(homes.low_wh[home], homes.stored_wh[home])
    for kind in range(4):
        wanted_wh[kind] = min(max(wanted_wh[kind] - above_wh, -most_wh), most_wh)
    plans.low_wh[home] = min(wanted_wh[1], 0.0) * eta_d
    plans.high_wh[home] = max(wanted_wh[2], 0.0) / eta_c
    if case.switches.trade and wanted_wh[3] > 0:
        plans.low_wh[home] = wanted_wh[3] / eta_c
    if case.switches.trade and wanted_wh[0] < 0:
        plans.high_wh[home] = wanted_wh[0] * eta_d


@compiled
def _set_wanted(case: Case, home: int) -> None:
    """Set how much should be stored after the first hour, at each of its four prices."""
    homes, ahead, wanted_wh = case.homes, case.ahead, case.slots.wanted_wh
    imports, exports = ahead.imports[_row(ahead, home)], ahead.exports[_row(ahead, home)]
    pv_wh, load_wh = ahead.pv_wh[home], ahead.load_wh[home]
    eta_c, eta_d, most_wh = homes.eta_c[home], homes.eta_d[home], homes.most_wh[home]
    stored_wh, trade = homes.stored_wh[home], case.switches.trade
    room_wh = max(homes.high_wh[home], stored_wh) - min(homes.low_wh[home], stored_wh)
    losses = (eta_c, eta_d, ahead.wear)
    value = _prices(imports[0], exports[0], losses, trade)
    wanted_wh[:] = 0.0
    for hour in range(imports.shape[0] - 1, 0, -1):
        net_wh = pv_wh[hour] - load_wh[hour]
        served_wh = min(max(-net_wh, 0.0) / eta_d, most_wh)
        kept_wh = min(max(net_wh, 0.0) * eta_c, most_wh)
        sell, serve, store, buy = _prices(imports[hour], exports[hour], losses, trade)
        for kind in range(4):
            taken_wh = 0.0
            if value[kind] < sell:
                taken_wh = most_wh
            elif value[kind] > buy:
                taken_wh = -most_wh
            else:
                if value[kind] < serve:
                    taken_wh += served_wh
                if value[kind] > store:
                    taken_wh -= kept_wh
            wanted_wh[kind] = min(max(wanted_wh[kind] + taken_wh, 0.0), room_wh)


@compiled
def _prices(
    imports: float, exports: float, losses: tuple[float, float, float], trade: bool
) -> tuple[float, float, float, float]:
    """Return what a stored Wh earns or costs in an hour: sold, given, taken, bought."""
    eta_c, eta_d, wear = losses
    sell = exports * eta_d - wear
    serve = max(imports * eta_d - wear, sell)
    store = max(exports / eta_c + wear, sell)
    buy = max(imports / eta_c + wear, serve, store)
    if trade:
        return sell, serve, store, buy
    return -np.inf, serve, store, np.inf
