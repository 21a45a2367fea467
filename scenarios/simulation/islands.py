"""Homes that leave the grid for a minute, where their batteries can carry them."""

import numpy as np

from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank
from hems.controller import Decision, set_point_w
from scenarios.data.fleet_data import MINUTE_S
from scenarios.simulation.disturbances import Disturbances

CARRIED_W = 1e-6
"""A battery this close to the balance carries it: the rest is rounding. [W]"""


def live_minute(
    bank: BatteryBank,
    stored_wh: FloatArray,
    decision: Decision,
    *,
    limits: Disturbances,
    load_w: FloatArray,
    pv_w: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Let a minute pass at homes under a standing decision.

    Parameters
    ----------
    bank : BatteryBank
        Batteries.
    stored_wh : FloatArray, shape (homes,)
        Energy in the cells before. [Wh]
    decision : Decision
        What stands.
    limits : Disturbances
        What batteries make of a set-point.
    load_w, pv_w : FloatArray, shape (homes,)
        Load and production. [W]

    Returns
    -------
    tuple[FloatArray, FloatArray, FloatArray]
        Energy in the cells after [Wh], terminal power, and power at the meter. [W]

    Notes
    -----
    Where a decision opens the relay, the home is an island as long as its battery carries the
    balance: nothing flows at its meter, and dead band and quantum, which are about set-points, do
    not count. A simulation sheds no load: where the battery cannot, the relay stays closed for the
    minute and the grid takes the rest.
    """
    wanted_w = limits.limited_w(set_point_w(decision, load_w, pv_w))
    if decision.relay_closed is None:
        after_wh, battery_w = bank.advance(stored_wh, wanted_w, MINUTE_S)
        return after_wh, battery_w, load_w + battery_w - pv_w
    balance_w = pv_w - load_w
    _, carried_w = bank.advance(stored_wh, balance_w, MINUTE_S)
    most_w = np.inf if limits.power_cap_w is None else limits.power_cap_w
    island = ~decision.relay_closed & (np.abs(balance_w) <= most_w)
    island &= np.abs(carried_w - balance_w) <= CARRIED_W
    after_wh, battery_w = bank.advance(stored_wh, np.where(island, balance_w, wanted_w), MINUTE_S)
    return after_wh, battery_w, np.where(island, 0.0, load_w + battery_w - pv_w)
