"""The home MPC of Couraud 2021 as a prosumer's planner: where it applies, and where it does not.

It decides within one market interval at one price, and knows nothing of the intervals after. So it
applies to the minutes of an hour whose end somebody else has chosen. Asked for the hours ahead it
can answer for the first only, and there it does what no controller does.
"""

from dataclasses import dataclass, field

import numpy as np

from devices.arrays import FloatArray
from hems.controller import Observation
from hems.errors import ControlInputError
from hems.mpc import Mpc
from hems.prosumer import Course, Leave, Prospect, course


@dataclass(frozen=True, slots=True, kw_only=True)
class OneHour:
    """Let the MPC decide each hour by itself, nothing being owed; see `hems.prosumer.Planner`."""

    mpc: Mpc = field(default_factory=Mpc)
    """What decides."""

    def plan(self, prospect: Prospect) -> Course:
        """Return the decision for the first hour, and self-consumption after it.

        Raises
        ------
        ControlInputError
            If homes pay different prices: the MPC knows one.
        """
        homes = prospect.bank.homes
        free, step_h = np.full(homes, np.inf), prospect.step_h
        decided = self.mpc.decide(
            Observation(
                bank=prospect.bank,
                stored_wh=prospect.stored_wh,
                block_s=np.array([step_h * 3600]),
                load_w=prospect.load_wh[:, :1] / step_h,
                pv_w=prospect.pv_wh[:, :1] / step_h,
                import_price_per_mwh=_of_all(prospect.import_price_per_mwh),
                export_price_per_mwh=_of_all(prospect.export_price_per_mwh),
                import_limit_w=np.full(homes, 1e6),
                export_limit_w=np.full(homes, 1e6),
                remaining_export_wh=np.zeros(homes),
                steered=np.zeros(homes, dtype=np.bool_),
                soc_target=np.zeros(homes),
            )
        )
        held_wh = decided.battery_power_w * step_h
        leave = Leave(
            low_wh=np.where(decided.follow, -free, held_wh),
            high_wh=np.where(decided.follow, free, held_wh),
        )
        wanted_wh = prospect.net_wh.copy()
        wanted_wh[:, 0] = np.where(decided.follow, wanted_wh[:, 0], held_wh)
        return course(prospect, wanted_wh, leave=leave)


def _of_all(price: FloatArray) -> float:
    """Return the first hour's price, which must be the same for all homes."""
    if (price[:, 0] != price[0, 0]).any():
        msg = "MPC: homes pay different prices in an hour; plan them apart"
        raise ControlInputError(msg)
    return float(price[0, 0])
