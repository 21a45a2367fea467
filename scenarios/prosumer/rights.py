"""Planners without the right to trade: batteries take from the surplus and give to the house only.

The paper's rules have no other rights; optimisers may have both, and are compared in both.
"""

from dataclasses import replace

import numpy as np

from devices.arrays import FloatArray
from hems.prosumer import Course, Leave, Prospect


def of_house_wh(prospect: Prospect) -> FloatArray:
    """Return what the cells take of each hour's surplus or give to its demand. [Wh]

    Returns
    -------
    FloatArray, shape (homes, hours)
        > 0 charges; within the battery's power.
    """
    bank, net_wh = prospect.bank, prospect.net_wh
    share = np.where(
        net_wh >= 0, bank.charge_efficiency[:, None], 1 / bank.discharge_efficiency[:, None]
    )
    most_wh = (bank.power_max_w * prospect.step_h)[:, None]
    return np.minimum(np.maximum(net_wh * share, -most_wh), most_wh)


def kept_to_house(found: Course) -> Course:
    """Return a course whose first hour neither buys nor sells, however wrong the forecast was."""
    first_wh = found.battery_wh[:, 0]
    leave = Leave(low_wh=np.minimum(first_wh, 0.0), high_wh=np.maximum(first_wh, 0.0))
    return replace(found, leave=leave)
