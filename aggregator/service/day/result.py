"""What a real market took of an offer, as its operator enters it."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Final

import numpy as np

from aggregator.award import Award
from aggregator.errors import PlanInputError
from aggregator.files import Json
from aggregator.market import Bid
from aggregator.service.day.desk import Desk
from aggregator.service.day.errors import StepInputError
from aggregator.service.day.made import Made, find_paper, need_paper
from aggregator.service.day.steps import RESULT, Run, write_down
from aggregator.service.day.turn import turn
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray

PRICE_MOST: Final = 1e6
"""Magnitude of a price that can be settled at most. [currency/MWh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What the market took in one interval, and at what price."""

    interval: int
    """Number of the interval on the ledger (§4), as the offer has it."""
    quantity_wh: int
    """Quantity that was accepted, 0..what was offered. [Wh]"""
    price_per_mwh: float
    """Clearing price. [currency/MWh]"""


def accepted_of(body: Json) -> tuple[Accepted, ...]:
    """Return what the paper of a result holds."""
    return tuple(Accepted(**each) for each in body["accepted"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultMarket:
    """A market that has told its result; see `aggregator.market.Market`."""

    day: date
    """The local day."""
    grid: TimeGrid
    """Its intervals."""
    accepted: Sequence[Accepted]
    """What was taken; an interval that is not named was not."""
    elsewhere_per_mwh: FloatArray
    """Price of intervals of which nothing was taken, shape (slots,). [currency/MWh]"""

    def clear(self, bids: Sequence[Bid]) -> Award:
        """Return the result as an award.

        Raises
        ------
        PlanInputError
            With the place of the first entry that cannot be of these bids.
        """
        quantity_wh = [0] * self.grid.count
        price = [float(each) for each in self.elsewhere_per_mwh]
        seen: set[int] = set()
        for place, each in enumerate(self.accepted):
            problem = self._problem(each, bids)
            if each.interval in seen:
                problem = "is there twice; leave one out"
            if problem:
                msg = f"accepted[{place}] of {self.day}: interval {each.interval} {problem}"
                raise PlanInputError(msg)
            seen.add(each.interval)
            slot = each.interval - self.grid.first_interval
            quantity_wh[slot], price[slot] = each.quantity_wh, each.price_per_mwh
        return Award(grid=self.grid, quantity_wh=tuple(quantity_wh), price_per_mwh=tuple(price))

    def _problem(self, each: Accepted, bids: Sequence[Bid]) -> str:
        """Return what is wrong with an entry; nothing where it fits the bids."""
        if each.interval not in self.grid.intervals:
            return self._elsewhere(each.interval)
        if not (math.isfinite(each.price_per_mwh) and abs(each.price_per_mwh) <= PRICE_MOST):
            return f"has the price {each.price_per_mwh:g}; give up to {PRICE_MOST:g} either way"
        own = [bid for bid in bids if bid.interval == each.interval]
        offered_wh = sum(bid.quantity_wh for bid in own)
        if not 0 <= each.quantity_wh <= offered_wh:
            return f"accepts {each.quantity_wh} Wh of the {offered_wh} Wh offered; give 0 to that"
        least = min((bid.limit_price_per_mwh for bid in own), default=-math.inf)
        if each.quantity_wh and each.price_per_mwh < least:
            return f"clears at {each.price_per_mwh:g}, below the bid's limit of {least:g}"
        return ""

    def _elsewhere(self, interval: int) -> str:
        """Return where an interval is that is none of the day."""
        first, last = self.grid.intervals[0], self.grid.intervals[-1]
        told = f"is none of the day's, which are {first} to {last}"
        if abs(interval - first) > 1_000_000:  # decades away: no interval of this length at all
            return told
        start = datetime.fromtimestamp(interval * self.grid.step_s, UTC)
        return f"begins {start:%Y-%m-%d %H:%M}Z and {told}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultInputs:
    """What somebody entered."""

    day: date
    """Of which day."""
    accepted: tuple[Accepted, ...]
    """What the market took."""


def enter_result(desk: Desk, day: date, accepted: Sequence[Accepted], *, who: str) -> Run:
    """Keep what the market took of a day's offer; the step ``award`` goes by it.

    Parameters
    ----------
    desk : Desk
        What steps work with.
    day : date
        The local market day.
    accepted : sequence of Accepted
        What it took; an interval that is not named was not taken.
    who : str
        Who enters it.

    Raises
    ------
    StepInputError
        If there is no offer, the promise is published and another, or an entry cannot be of the
        offer; nothing is kept.
    StepConflictError
        If others ran steps all the time that this could wait.
    """
    inputs = ResultInputs(day=day, accepted=tuple(sorted(accepted, key=lambda each: each.interval)))
    with turn(desk.store):
        award = _checked(desk, day, accepted)
        sold = [wh for wh in award.quantity_wh if wh]
        made = Made(
            line=f"the market took {sum(sold)} Wh in {len(sold)} intervals; award goes by it",
            papers={RESULT: {"accepted": [asdict(each) for each in inputs.accepted]}},
        )
        return write_down(desk, RESULT, day, who=who, inputs=inputs, made=made)


def _checked(desk: Desk, day: date, accepted: Sequence[Accepted]) -> Award:
    """Return an entered result as an award, or raise what is wrong with it."""
    grid = desk.grid(day)
    with desk.store.read() as connection:
        offer = need_paper(connection, "offer", day, by="offer")
        published = find_paper(connection, "published", day)
        promised = find_paper(connection, "schedule", day)
    market = ResultMarket(
        day=day, grid=grid, accepted=accepted, elsewhere_per_mwh=np.zeros(grid.count)
    )
    try:
        award = market.clear([Bid(**each) for each in offer["bids"]])
    except PlanInputError as error:
        raise StepInputError(str(error)) from error
    stands = promised is not None and promised["commitment_wh"] == list(award.quantity_wh)
    if published is not None and not stands:
        msg = f"the promise of {day} is published and is of other quantities; it stands"
        raise StepInputError(msg)
    return award
