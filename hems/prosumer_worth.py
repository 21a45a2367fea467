"""What the first hour may do, by the worth that stored energy has in the hours after it.

Beyond Becchi 2024, whose rules look at one slot at a time. For a value v of stored energy each hour
ahead tells by itself what it does: uses that pay more than v take energy out, sources that cost
less bring some in. Summed from the horizon's end back to now, within the battery's window, this is
how much should be stored now before one more Wh is worth less than v. Holding that against the four
prices of the first hour decides it: without a solver, and where prices are positive at the optimum.
"""

import numpy as np

from devices.arrays import FloatArray
from hems.prosumer import Leave, Prospect


def leave_by_worth(prospect: Prospect, *, trade: bool) -> Leave:
    """Return the bounds between which the battery follows the first hour's surplus.

    Parameters
    ----------
    prospect : Prospect
        What the homes know.
    trade : bool
        True: the battery may charge from the grid and discharge into it; False: it never does.

    Notes
    -----
    For concave values of stored energy V and gains g of an hour, V_h is the supremal convolution
    of g_h and V_{h+1}, and the inverses of their slopes add. Where selling pays more than buying
    costs, or burning energy is paid for, gains are not concave; prices are then put in order
    first, which is a heuristic. Stored energy is worth nothing at the horizon's end.
    """
    bank = prospect.bank
    prices = _prices(prospect, trade=trade)
    # without trade nothing is sold or bought: the two prices between decide
    wanted_wh = _wanted_wh(prospect, prices, prices[0] if trade else prices[0, 1:3])
    low_wh, _ = bank.window_wh(prospect.stored_wh)
    most_wh = bank.power_max_w * prospect.step_h
    lacking_wh = wanted_wh - (prospect.stored_wh - low_wh)
    lacking_wh = np.minimum(np.maximum(lacking_wh, -most_wh), most_wh)
    nothing = np.zeros(bank.homes)
    sell_wh, serve_wh, store_wh, buy_wh = lacking_wh if trade else (nothing, *lacking_wh, nothing)
    eta_c, eta_d = bank.charge_efficiency, bank.discharge_efficiency
    return Leave(
        low_wh=np.where(buy_wh > 0, buy_wh / eta_c, np.minimum(serve_wh, 0.0) * eta_d),
        high_wh=np.where(sell_wh < 0, sell_wh * eta_d, np.maximum(store_wh, 0.0) / eta_c),
    )


def _prices(prospect: Prospect, *, trade: bool) -> FloatArray:
    """Return what a stored Wh earns or costs each hour, (hours, 4, homes). [micro/Wh]

    Sold to the grid, given to the house, taken from the surplus, bought from the grid; each after
    losses and wear, and in an order in which no Wh earns by being burnt.
    """
    bank, wear = prospect.bank, prospect.wear_price_per_mwh
    exports, imports = prospect.export_price_per_mwh.T, prospect.import_price_per_mwh.T
    eta_c, eta_d = bank.charge_efficiency, bank.discharge_efficiency
    prices = np.empty((prospect.hours, 4, bank.homes))
    sell, serve, store, buy = (prices[:, kind] for kind in range(4))
    np.subtract(exports * eta_d, wear, out=sell)
    np.maximum(imports * eta_d - wear, sell, out=serve)
    np.maximum(exports / eta_c + wear, sell, out=store)
    np.maximum(np.maximum(imports / eta_c + wear, serve), store, out=buy)
    if not trade:
        sell[:], buy[:] = -np.inf, np.inf
    return prices


def _wanted_wh(prospect: Prospect, prices: FloatArray, value: FloatArray) -> FloatArray:
    """Return how much should be stored at the end of the first hour.

    Parameters
    ----------
    prospect : Prospect
        What the homes know.
    prices : FloatArray, shape (hours, 4, homes)
        See `_prices`. [micro/Wh]
    value : FloatArray, shape (values, homes)
        Values of stored energy. [micro/Wh]

    Returns
    -------
    FloatArray, shape (values, homes)
        What is worth more than each value, above the window's lower end. [Wh]
    """
    bank = prospect.bank
    most_wh = bank.power_max_w * prospect.step_h
    net_wh = prospect.net_wh.T[1:, None]
    surplus_wh = np.minimum(np.maximum(net_wh, 0.0) * bank.charge_efficiency, most_wh)
    deficit_wh = np.minimum(np.maximum(-net_wh, 0.0) / bank.discharge_efficiency, most_wh)
    later = prices[1:]
    taken_wh = np.where(value < later[:, 1:2], deficit_wh, 0.0)
    np.subtract(taken_wh, surplus_wh, out=taken_wh, where=value > later[:, 2:3])
    np.copyto(taken_wh, most_wh, where=value < later[:, 0:1])
    np.copyto(taken_wh, -most_wh, where=value > later[:, 3:4])
    low_wh, high_wh = bank.window_wh(prospect.stored_wh)
    room_wh = high_wh - low_wh
    wanted_wh = np.zeros(value.shape)
    for hour in range(taken_wh.shape[0] - 1, -1, -1):
        wanted_wh += taken_wh[hour]
        np.maximum(wanted_wh, 0.0, out=wanted_wh)
        np.minimum(wanted_wh, room_wh, out=wanted_wh)
    return wanted_wh
