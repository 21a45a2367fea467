"""The day-ahead problem of Couraud 2021, eq. (1), (2), (4): built here, never solved.

Energy is in kWh and money in thousandths of the currency, so that a price per MWh is a coefficient
as it stands and the tie-break stays far above the solver's tolerances. Soft limits have one slack
variable per limit and interval; only physics is hard (§12).
"""

from collections.abc import Callable

import numpy as np
import pyomo.environ as pyo

from aggregator.intraday_model import add_positions, trading_cost
from aggregator.problem import Limit, Problem
from devices.arrays import FloatArray

MINOR = 0.1
"""Weight of the tie-break's later parts against its first."""
HELD = 2.0
"""Weight of room left at the end among those: above 1, the price of putting energy there."""


def build(problem: Problem) -> pyo.ConcreteModel:
    """Build the relaxation: everything but the exclusivity of `add_exclusivity`.

    Returns
    -------
    pyo.ConcreteModel
        Unsolved. Variables ``charge_kwh``, ``discharge_kwh`` (E_C, E_D, at the cells),
        ``import_kwh``, ``export_kwh`` (E_i, E_e), ``stored_kwh`` (at the interval's end), each of
        shape (slots,), and ``excess_kwh`` of shape (limits, slots).
    """
    m = pyo.ConcreteModel("day-ahead")
    m.slots = pyo.RangeSet(0, problem.forecast.grid.count - 1)
    m.limits = pyo.Set(initialize=list(Limit))
    _add_variables(m, problem)
    _add_balance(m, problem)
    _add_storage(m, problem)
    _add_window(m, problem)
    _add_end_target(m, problem)
    _add_grid_limits(m, problem)
    _add_commitment(m, problem)
    _add_swing(m, problem)
    _add_cost(m, problem)
    return m


def add_exclusivity(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Add the binaries: never charge and discharge, nor import and export, in one interval.

    Notes
    -----
    The big-Ms are the physical maxima of `exchange_max_kwh`, the smallest that are valid.
    """
    cell_max_kwh = problem.battery.cell_max_wh(problem.forecast.grid.step_s) / 1000
    import_max_kwh, export_max_kwh = exchange_max_kwh(problem)
    m.charging = pyo.Var(m.slots, domain=pyo.Binary)
    m.importing = pyo.Var(m.slots, domain=pyo.Binary)
    m.charge_only = _rows(m, lambda t: m.charge_kwh[t] <= cell_max_kwh * m.charging[t])
    m.discharge_only = _rows(m, lambda t: m.discharge_kwh[t] <= cell_max_kwh * (1 - m.charging[t]))
    m.import_only = _rows(m, lambda t: m.import_kwh[t] <= import_max_kwh[t] * m.importing[t])
    m.export_only = _rows(m, lambda t: m.export_kwh[t] <= export_max_kwh[t] * (1 - m.importing[t]))
    if problem.trading is not None:
        for t in m.slots:
            m.committed[t].domain = pyo.Binary


def exchange_max_kwh(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """Return the greatest import and export that balance (2) allows in each interval. [kWh]"""
    battery = problem.battery
    cell_max_wh = battery.cell_max_wh(problem.forecast.grid.step_s)
    surplus_wh = problem.forecast.surplus_wh
    import_max_wh = np.maximum(cell_max_wh / battery.charge_efficiency - surplus_wh, 0.0)
    export_max_wh = np.maximum(cell_max_wh * battery.discharge_efficiency + surplus_wh, 0.0)
    return import_max_wh / 1000, export_max_wh / 1000


def _add_variables(m: pyo.ConcreteModel, problem: Problem) -> None:
    """E_C, E_D <= E_B^max; import and export within what the balance allows; cells 0..capacity."""
    battery = problem.battery
    cell_max_kwh = battery.cell_max_wh(problem.forecast.grid.step_s) / 1000
    import_max_kwh, export_max_kwh = exchange_max_kwh(problem)
    m.charge_kwh = pyo.Var(m.slots, bounds=(0, cell_max_kwh))
    m.discharge_kwh = pyo.Var(m.slots, bounds=(0, cell_max_kwh))
    m.import_kwh = pyo.Var(m.slots, bounds=lambda _, t: (0, float(import_max_kwh[t])))
    m.export_kwh = pyo.Var(m.slots, bounds=lambda _, t: (0, float(export_max_kwh[t])))
    m.stored_kwh = pyo.Var(m.slots, bounds=(0, battery.capacity_wh / 1000))
    m.excess_kwh = pyo.Var(m.limits, m.slots, bounds=(0, None))
    m.swing_kwh = pyo.Var(m.slots, bounds=(0, None))


def _add_balance(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. (2) as one equality: E_i − E_e + η_d E_D − E_C / η_c = E_d − E_p."""
    eta_c, eta_d = problem.battery.charge_efficiency, problem.battery.discharge_efficiency
    surplus_kwh = problem.forecast.surplus_wh / 1000

    def balance(t: int) -> object:
        given_kwh = eta_d * m.discharge_kwh[t] - m.charge_kwh[t] / eta_c
        return m.import_kwh[t] - m.export_kwh[t] + given_kwh == -float(surplus_kwh[t])

    m.balance = _rows(m, balance)


def _add_storage(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. (4), the sum as a recursion: energy after an interval is energy before + E_C − E_D."""
    start_kwh = problem.battery.stored_wh / 1000

    def storage(t: int) -> object:
        before_kwh = m.stored_kwh[t - 1] if t else start_kwh
        return m.stored_kwh[t] == before_kwh + m.charge_kwh[t] - m.discharge_kwh[t]

    m.storage = _rows(m, storage)


def _add_window(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. (4), its limits: SoC_min <= stored <= SoC_max, soft."""
    low_kwh, high_kwh = problem.battery.stored_min_wh / 1000, problem.battery.stored_max_wh / 1000
    below, above = Limit.STORED_LOW, Limit.STORED_HIGH
    m.window_low = _rows(m, lambda t: m.stored_kwh[t] + m.excess_kwh[below, t] >= low_kwh)
    m.window_high = _rows(m, lambda t: m.stored_kwh[t] - m.excess_kwh[above, t] <= high_kwh)


def _add_end_target(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Hold at least the target at the end of the last interval, soft; none when the end is free."""
    if problem.end_stored_wh is None:
        return
    last = m.slots.last()
    held_kwh = m.stored_kwh[last] + m.excess_kwh[Limit.END_LOW, last]
    m.end_target = pyo.Constraint(expr=held_kwh >= problem.end_stored_wh / 1000)


def _add_grid_limits(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Keep E_i and E_e below the fleet's limits; soft, for a surplus must go somewhere."""
    limits_w = {
        Limit.IMPORT_HIGH: (m.import_kwh, problem.options.import_limit_w),
        Limit.EXPORT_HIGH: (m.export_kwh, problem.options.export_limit_w),
    }
    for limit, (energy_kwh, limit_w) in limits_w.items():
        if limit_w is not None:
            rows = _cap_rows(m, energy_kwh, limit, problem.grid_limit_wh(limit_w) / 1000)
            m.add_component(limit.name.lower(), rows)


def _cap_rows(
    m: pyo.ConcreteModel, energy_kwh: pyo.Var, limit: Limit, cap_kwh: float
) -> pyo.Constraint:
    """Return energy − excess <= cap for every interval."""
    return _rows(m, lambda t: energy_kwh[t] - m.excess_kwh[limit, t] <= cap_kwh)


def _add_commitment(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Phase 2: net export = E_c where a commitment was awarded, soft.

    Notes
    -----
    The paper writes E_e = E_c. Net export E_e − E_i is what is settled, equals E_e whenever
    E_e > 0, and keeps the relaxation from importing in order to export.
    """
    if problem.trading is not None:
        add_positions(m, problem.trading)
        return
    committed_kwh = problem.committed_wh / 1000
    short, over = Limit.COMMITMENT_SHORT, Limit.COMMITMENT_OVER

    def commitment(t: int) -> object:
        if not committed_kwh[t]:
            return pyo.Constraint.Skip
        net_kwh = m.export_kwh[t] - m.import_kwh[t]
        slack_kwh = m.excess_kwh[short, t] - m.excess_kwh[over, t]
        return net_kwh + slack_kwh == float(committed_kwh[t])

    m.commitment = _rows(m, commitment)


def _add_swing(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Let ``swing_kwh`` be at least |E_e^t − E_e^{t−1}| while exports are still to be bid."""
    if not problem.bidding:
        return
    m.steps = pyo.RangeSet(1, m.slots.last())
    m.rise = pyo.Constraint(
        m.steps, rule=lambda _, t: m.swing_kwh[t] >= m.export_kwh[t] - m.export_kwh[t - 1]
    )
    m.fall = pyo.Constraint(
        m.steps, rule=lambda _, t: m.swing_kwh[t] >= m.export_kwh[t - 1] - m.export_kwh[t]
    )


def _add_cost(m: pyo.ConcreteModel, problem: Problem) -> None:
    """Eq. (1), Σ π_i E_i − π_e E_e, plus the price of breaches and the tie-break."""
    import_price = problem.forecast.import_price_per_mwh
    export_price = problem.forecast.export_price_per_mwh
    price = {limit: problem.breach_price_per_mwh(limit) for limit in Limit}

    def cost(t: int) -> object:
        paid = float(import_price[t]) * m.import_kwh[t] - float(export_price[t]) * m.export_kwh[t]
        return paid + pyo.quicksum(price[limit] * m.excess_kwh[limit, t] for limit in Limit)

    total = pyo.quicksum(cost(t) for t in m.slots) + _tie_break(m, problem)
    if problem.trading is not None:
        total += trading_cost(m, problem.trading)
    m.cost = pyo.Objective(expr=total)


def _tie_break(m: pyo.ConcreteModel, problem: Problem) -> pyo.Expression:
    """Return the small cost that decides between plans that cost the same.

    Notes
    -----
    First, exports that are still to be bid shall not swing, so that a bid does not jump
    between equal intervals. The rest weighs `MINOR` of that: the grid comes last (an exchange
    weighs less the later it is), so that an undecided battery follows residual demand; energy does
    not go through the cells for nothing; and what has no better use is held at the end instead of
    given away. Every part is >= 0, so the plan exceeds the cheapest one's cost by at most the
    latter's ``outcome.tie_break_cost``.
    """
    tie, count = problem.options.smoothing_per_mwh, problem.forecast.grid.count

    def minor(t: int) -> object:
        exchange_kwh = m.import_kwh[t] + m.export_kwh[t]
        return (1 - t / count) * exchange_kwh + m.charge_kwh[t] + m.discharge_kwh[t]

    room_kwh = problem.battery.capacity_wh / 1000 - m.stored_kwh[m.slots.last()]
    minors_kwh = pyo.quicksum(minor(t) for t in m.slots) + HELD * room_kwh
    return tie * (pyo.quicksum(m.swing_kwh[t] for t in m.slots) + MINOR * minors_kwh)


def _rows(m: pyo.ConcreteModel, rule: Callable[[int], object]) -> pyo.Constraint:
    """Return one constraint per interval."""
    return pyo.Constraint(m.slots, rule=lambda _, t: rule(t))
