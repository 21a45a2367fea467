"""From plan and award to the schedule both sides sign."""

import numpy as np

from aggregator.award import Award
from aggregator.errors import PlanInputError
from aggregator.plan import Plan
from contracts.promise import SOC_BP_MAX, Schedule


def schedule(plan: Plan, award: Award) -> Schedule:
    """Return the time series that the homes receive.

    Parameters
    ----------
    plan : Plan
        The re-plan for this award, so that SoC^{t,A} and E_c fit each other.
    award : Award
        What the market took.

    Returns
    -------
    Schedule
        SoC^{t,A} in basis points, E_c in whole Wh, and S^t.

    Notes
    -----
    Couraud 2021, eq. (5): S^t = 0 where the battery must match residual demand. The paper's
    virtual battery does so where neither import nor export is planned. Here it also does where an
    empty battery lets the fleet import or a full one lets it export: it follows as far as it can,
    and steering homes to the mean state of charge there would only move energy between them through
    the grid.
    """
    if award.grid != plan.grid:
        msg = f"award is on {award.grid}, the plan on {plan.grid}; re-plan for this award"
        raise PlanInputError(msg)
    soc_bp = np.rint(plan.soc * SOC_BP_MAX).astype(int)
    return Schedule(
        grid=plan.grid,
        soc_bp=tuple(soc_bp.tolist()),
        commitment_wh=award.quantity_wh,
        steered=tuple((~plan.follows).tolist()),
    )
