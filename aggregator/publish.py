"""From plan and award to the schedule both sides sign."""

import numpy as np

from aggregator.award import Award
from aggregator.errors import PlanInputError
from aggregator.plan import Plan
from aggregator.problem import Limit
from aggregator.series import require_number
from contracts.promise import SOC_BP_MAX, Schedule

SOC_MARGIN = 0.2
"""How far below the plan a home may go for a promise, see `schedule`."""
AWARD_TOLERANCE_WH = 1.0
"""How far the plan's net export may be from the award: awards are whole. [Wh]"""


def schedule(plan: Plan, award: Award, *, soc_margin: float = SOC_MARGIN) -> Schedule:
    """Return the time series that the homes receive.

    Parameters
    ----------
    plan : Plan
        The re-plan for this award, so that SoC^{t,A} and E_c fit each other.
    award : Award
        What the market took.
    soc_margin : float
        In intervals with a commitment SoC^{t,A} is published this much below the plan, 0..1; 0
        gives the print.

    Returns
    -------
    Schedule
        SoC^{t,A} in basis points, E_c in whole Wh, and S^t.

    Raises
    ------
    PlanInputError
        If the plan was not made for this award, or a value does not fit the wire.

    Notes
    -----
    Couraud 2021, eq. (5): S^t = 0 where the battery must match residual demand. The paper's
    virtual battery does so where neither import nor export is planned. Here it also does where an
    empty battery lets the fleet import or a full one lets it export: it follows as far as it can,
    and steering homes to the mean state of charge there would only move energy between them through
    the grid.

    In an interval with a commitment SoC^{t,A} has one use left: eq. (11) lets only homes at or
    above it export. As soon as the forecast was too bright the fleet's mean falls below the plan, a
    few homes carry the whole promise, and it breaks at their power with half of the energy still
    there. The margin lets the others help; a home far below the plan is still spared.
    """
    require_number("soc_margin", soc_margin, minimum=0.0, maximum=1.0)
    if award.grid != plan.grid:
        msg = f"award is on {award.grid}, the plan on {plan.grid}; re-plan for this award"
        raise PlanInputError(msg)
    _require_delivered(plan, award)
    margin = np.where(np.array(award.quantity_wh) > 0, soc_margin, 0.0)
    soc_bp = np.rint(np.maximum(plan.soc - margin, 0.0) * SOC_BP_MAX).astype(int)
    try:
        return Schedule(
            grid=plan.grid,
            soc_bp=tuple(soc_bp.tolist()),
            commitment_wh=award.quantity_wh,
            steered=tuple((~plan.follows).tolist()),
        )
    except ValueError as error:
        msg = f"{error}; plan the day again"
        raise PlanInputError(msg) from error


def _require_delivered(plan: Plan, award: Award) -> None:
    """Raise where the plan neither delivers the award nor owns that it does not."""
    owned = {
        broken.interval
        for broken in plan.broken
        if broken.limit in {Limit.COMMITMENT_SHORT, Limit.COMMITMENT_OVER}
    }
    net_export_wh = (plan.export_wh - plan.import_wh).tolist()
    slots = zip(plan.grid.intervals, plan.grid.starts(), strict=True)
    for (interval, start), planned_wh, awarded_wh in zip(
        slots, net_export_wh, award.quantity_wh, strict=True
    ):
        apart = abs(planned_wh - awarded_wh) > AWARD_TOLERANCE_WH
        if awarded_wh and apart and interval not in owned:
            msg = (
                f"plan exports {planned_wh:.0f} Wh in the interval from {start.isoformat()}, "
                f"{awarded_wh} Wh are awarded; plan again with --award"
            )
            raise PlanInputError(msg)
