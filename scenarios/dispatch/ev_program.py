"""Smart charging at least cost: a linear program on HiGHS, with prices of energy and of the peak.

``least_cost(base_w, sessions, *, step_s, prices, period=None) -> SmartCharge``. With the peak's
price alone it gives the least peak, and is what `ev_valleys` is held against.
"""

from typing import Final

import highspy
import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.mpc_relaxation import MINIMISE, ROW_WISE, quiet_highs
from scenarios.dispatch.ev_sessions import ChargingSessions
from scenarios.dispatch.ev_stays import SmartCharge, Stays
from scenarios.dispatch.optimum import Prices
from scenarios.errors import ScenarioInputError

KILO: Final = 1000.0
"""The program is in kW, where its numbers are near 1."""


def least_cost(
    base_w: FloatArray,
    sessions: ChargingSessions,
    *,
    step_s: int,
    prices: Prices,
    period: IntArray | None = None,
    import_max_w: float = float("inf"),
) -> SmartCharge:
    """Return the cheapest charging within the stays.

    Parameters
    ----------
    base_w : FloatArray, shape (steps,)
        What is drawn beside the cars, < 0 where PV exceeds it; from second 0 on. [W]
    sessions : ChargingSessions
        Who charges; each gets what it wants by its departure, or all that fits (``short_wh``).
    step_s : int
        Length of a step. [s]
    prices : Prices
        What import, export and the highest import of each billing period cost.
    period : IntArray or None, shape (steps,)
        Billing period of each step, from 0; None: all steps are one.
    import_max_w : float
        Greatest import that the connection bears. [W]

    Raises
    ------
    ScenarioInputError
        If a session reaches beyond the base, or ``import_max_w`` leaves no plan.
    """
    stays = Stays.of(sessions, step_s=step_s, steps=base_w.size)
    bills = np.zeros(base_w.size, dtype=np.int64) if period is None else period
    low_row, high_row = _rows(stays, base_w)
    begins, column, value = _matrix(stays, bills)
    cost = _costs(stays, prices, int(bills.max()) + 1)
    high = np.full(cost.size, np.inf)
    high[: stays.step.size] = stays.limit_w / KILO
    high[stays.step.size : stays.step.size + stays.steps] = import_max_w / KILO
    solver = quiet_highs()
    solver.passModel(
        cost.size,
        low_row.size,
        column.size,
        ROW_WISE,
        MINIMISE,
        0.0,
        cost,
        np.zeros(cost.size),
        high,
        low_row,
        high_row,
        begins.astype(np.int32),
        column.astype(np.int32),
        value,
        np.zeros(cost.size, dtype=np.int32),
    )
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        msg = (
            f"charging: HiGHS ended with {solver.modelStatusToString(solver.getModelStatus())}; "
            f"import_max_w of {import_max_w:g} W leaves no plan: raise it"
        )
        raise ScenarioInputError(msg)
    power_kw = np.array(solver.getSolution().col_value)[: stays.step.size]
    return SmartCharge(stays=stays, power_w=np.clip(power_kw * KILO, 0.0, stays.limit_w))


def _costs(stays: Stays, prices: Prices, bills: int) -> FloatArray:
    """Return the price of each column: places, import, export, peaks. [currency/kW]"""
    mwh = stays.step_s / 3600 / KILO
    energy = (prices.import_price_per_mwh, -np.asarray(prices.export_price_per_mwh))
    return np.concatenate(
        [
            np.zeros(stays.step.size),
            *(np.broadcast_to(price, stays.steps) * mwh for price in energy),
            np.broadcast_to(prices.peak_price_per_kw, bills),
        ]
    )


def _rows(stays: Stays, base_w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the bounds of balance, peak and energy rows. [kW]"""
    energy_kw = stays.energy_wh * (3600 / stays.step_s) / KILO
    # The sum of limits may lie a rounding below an energy that just fits.
    fits_kw: FloatArray = np.zeros(energy_kw.size)
    np.add.at(fits_kw, stays.owner, stays.limit_w / KILO)
    free = np.zeros(stays.steps)
    return (
        np.concatenate([base_w / KILO, free, np.minimum(energy_kw, fits_kw)]),
        np.concatenate([base_w / KILO, free + np.inf, energy_kw]),
    )


def _matrix(stays: Stays, bills: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the rows: import − export − cars = base, peak >= import, energy of each session."""
    places, steps = stays.step.size, stays.steps
    each = np.arange(steps)
    blocks = [
        (each, places + each, 1.0),
        (each, places + steps + each, -1.0),
        (stays.step, np.arange(places), -1.0),
        (steps + each, places + 2 * steps + bills, 1.0),
        (steps + each, places + each, -1.0),
        (2 * steps + stays.owner, np.arange(places), 1.0),
    ]
    row = np.concatenate([rows for rows, _, _ in blocks])
    column = np.concatenate([columns for _, columns, _ in blocks])
    value = np.concatenate([np.full(rows.size, sign) for rows, _, sign in blocks])
    order = np.lexsort((column, row))
    count = 2 * steps + stays.begins.size - 1
    begins = np.searchsorted(row[order], np.arange(count + 1))
    return begins, column[order], value[order]
