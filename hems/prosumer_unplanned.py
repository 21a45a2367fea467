"""No controller: the battery follows the surplus as long as it can."""

from dataclasses import dataclass

import numpy as np

from hems.prosumer import Course, Leave, Prospect, course


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplanned:
    """Store what is left over and give what is missing; see `hems.prosumer.Planner`.

    Notes
    -----
    Becchi 2024, §IV: what the paper's figures call the case without controller.
    """

    def plan(self, prospect: Prospect) -> Course:
        """Return what self-consumption comes to."""
        free = np.full(prospect.bank.homes, np.inf)
        return course(prospect, prospect.net_wh, leave=Leave(low_wh=-free, high_wh=free))
