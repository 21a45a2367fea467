"""The step ``award``: what the market takes, the plan for it, and the promise."""

from dataclasses import dataclass, field
from datetime import date

from aggregator.files import Json, award_body, plan_body, schedule_body
from aggregator.market import Bid, Market, PriceTakerMarket
from aggregator.plan import replan
from aggregator.publish import schedule
from aggregator.service.day.desk import Desk
from aggregator.service.day.errors import StepInputError
from aggregator.service.day.fleet import virtual_battery
from aggregator.service.day.made import Made, find_paper, need_paper
from aggregator.service.day.plan import PlanInputs, expected_day, gather_plan
from aggregator.service.day.result import Accepted, ResultMarket, accepted_of
from aggregator.service.day.steps import RESULT


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardInputs:
    """What was offered, and what it was planned from."""

    day: date
    """The day."""
    plan: PlanInputs
    """What the plan was made from."""
    bids: tuple[Bid, ...]
    """What was offered."""
    accepted: tuple[Accepted, ...] | None
    """What the market took of it; None where nobody entered that."""
    award_share: float
    """Part of it that a market takes whose result is not entered."""
    soc_margin: float
    """How far below the plan a home may go for a promise."""
    promised: Json | None = field(metadata={"unhashed": True})
    """The promise, where it is published and cannot be changed any more."""


def gather_award(desk: Desk, day: date) -> AwardInputs:
    """Read what was offered of a day, and what is known of what was taken."""
    with desk.store.read() as connection:
        offer = need_paper(connection, "offer", day, by="offer")
        result = find_paper(connection, RESULT, day)
        published = find_paper(connection, "published", day)
        promised = None if published is None else find_paper(connection, "schedule", day)
    return AwardInputs(
        day=day,
        plan=gather_plan(desk, day),
        bids=tuple(Bid(**each) for each in offer["bids"]),
        accepted=None if result is None else accepted_of(result),
        award_share=desk.settings.award_share,
        soc_margin=desk.settings.soc_margin,
        promised=promised,
    )


def make_award(inputs: AwardInputs) -> Made:
    """Take what the market awards, plan again for it, and draw up the promise: phase 2."""
    of = inputs.plan
    award = _market(inputs).clear(inputs.bids)
    battery = virtual_battery(of.bank, soc=of.soc, scores=of.scores)
    again = replan(
        battery, expected_day(of), award, options=of.options, time_limit_s=of.time_limit_s
    )
    promised = schedule_body(schedule(again, award, soc_margin=inputs.soc_margin))
    if inputs.promised is not None and inputs.promised != promised:
        msg = f"the promise of {inputs.day} is published and would be another now; it stands"
        raise StepInputError(msg)
    awarded = sum(1 for energy_wh in award.quantity_wh if energy_wh)
    return Made(
        line=f"awarded {sum(award.quantity_wh)} Wh in {awarded} intervals, "
        + ("as a price-taker" if inputs.accepted is None else "by the market's result")
        + f"; {again.status}"
        + (f", {len(again.broken)} limits broken" if again.broken else ""),
        papers={
            "award": award_body(award),
            "replan": plan_body(again),
            "schedule": promised,
        },
    )


def _market(inputs: AwardInputs) -> Market:
    """Return the market: by its own word, or one that does not notice us."""
    of = inputs.plan
    if inputs.accepted is None:
        return PriceTakerMarket(
            grid=of.grid,
            clearing_price_per_mwh=of.export_price_per_mwh,
            award_share=inputs.award_share,
        )
    return ResultMarket(
        day=inputs.day,
        grid=of.grid,
        accepted=inputs.accepted,
        elsewhere_per_mwh=of.export_price_per_mwh,
    )
