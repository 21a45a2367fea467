"""What a home reports now: pure, from its meter, what the contract has, and what is on its way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from contracts.promise import Report

_WIRE_WH = 2**31 - 1
"""What a report can hold. [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A report and the number that the contract counts it under, once."""

    nonce: int
    """How many of the member's reports are counted before it."""
    report: Report
    """What it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a fleet's contract fixed for good."""

    interval_s: int
    """Length of a market interval. [s]"""
    grace_s: int
    """How long after its end an interval takes reports. [s]"""
    tolerance_s: int
    """Time added where energy is checked against power. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the contract says of a member at one block."""

    enrolled: bool
    """Whether it belongs to the fleet."""
    capacity_wh: int
    """Nominal capacity of its battery. [Wh]"""
    rating_w: int
    """Rating of its grid connection. [W]"""
    interval: int
    """That of its last report, or of its enrolment."""
    reported_s: int
    """Time of that. [s since 1970]"""
    net_export_wh: int
    """Its net export in `interval` so far. [Wh]"""
    nonce: int
    """How many of its reports were ever counted."""
    now_s: int
    """Time of the block. [s since 1970]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What the home has to say."""

    account: str
    """Address of the member."""
    ends: Sequence[tuple[int, float]]
    """Intervals in order, with the running total at the end of each, or as far as it was metered.
    [Wh]"""
    target: int
    """Interval to report for in any case; the running one where nothing was metered in it."""
    total_wh: float
    """Running total now. [Wh]"""
    soc_bp: int
    """State of charge. [bp]"""
    now_s: float
    """Time of day. [s since 1970]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """That the contract refused the first report on its way as it is."""

    most_wh: int | None = None
    """The energy that it would have taken; None where it refused for something else. [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send, and what stays."""

    drafts: tuple[Draft, ...]
    """Reports that are new, or stand in for one that the contract will not take."""
    kept_back_wh: int | None
    """Energy beyond what the connection is rated for, which stays due; None where reports of one
    block share the time since the last one, so that nothing can be told from it. [Wh]"""


def plan_reports(
    due: Due,
    *,
    sight: Sight,
    terms: Terms,
    taken_wh: int,
    fixed: Sequence[Draft],
    refusal: Refusal | None = None,
) -> Plan:
    """Return the reports to make now.

    Parameters
    ----------
    due : Due
        What the home has to say.
    sight : Sight
        What the contract says.
    terms : Terms
        What it fixed.
    taken_wh : int
        Net export that it has of us, all intervals together. [Wh]
    fixed : sequence of Draft
        Reports that it had counted before a reorganisation, by nonce from `Sight.nonce` on.
    refusal : Refusal, optional
        That it refused the one with the next nonce.

    Returns
    -------
    Plan
        A report for the target, and one for each earlier interval that still takes one and lacks
        energy. Each is the running total at its interval's end, rounded, less all that is taken or
        goes before it: rounding never accumulates, and what an interval cannot take any more is in
        the next one's report. The first of ``fixed`` is replaced, under its own nonce, where the
        contract will not take it.
    """
    clock = _Clock(terms, sight, int(max(float(sight.now_s), due.now_s)))
    dead = bool(fixed) and (refusal is not None or not clock.takes(fixed[0].report.interval))
    going = list(fixed[1:] if dead else fixed)
    nonces: Iterator[int] = count(sight.nonce + len(fixed))
    planned = _Planned(clock, taken_wh, going, None if refusal is None else refusal.most_wh)
    drafts: list[Draft] = []
    total_wh = due.total_wh
    for interval, total_wh in _wanted(due, clock, going):
        due_wh = round(total_wh) - planned.sum_wh
        if interval != clock.target and due_wh == 0:
            continue
        nonce = fixed[0].nonce if dead and not drafts else next(nonces)
        report = Report(
            account=due.account,
            interval=interval,
            net_export_wh=planned.fitting_wh(due_wh, interval, nonce),
            soc_bp=due.soc_bp,
        )
        drafts.append(Draft(nonce=nonce, report=report))
        planned.add(report)
    alone = drafts[-1].nonce == sight.nonce
    kept_back_wh = round(total_wh) - planned.sum_wh if alone else None
    return Plan(drafts=tuple(drafts), kept_back_wh=kept_back_wh)


class _Clock:
    """Tell which intervals take reports."""

    def __init__(self, terms: Terms, sight: Sight, now_s: int) -> None:
        self.terms, self.sight, self.now_s = terms, sight, now_s
        self.running = now_s // terms.interval_s
        self.target = self.running

    def takes(self, interval: int) -> bool:
        """Return whether the contract takes a report for an interval."""
        deadline_s = (interval + 1) * self.terms.interval_s + self.terms.grace_s
        return self.sight.interval <= interval <= self.running and self.now_s < deadline_s

    def allowed_s(self, interval: int) -> int:
        """Return the time that an interval's energy is checked against. [s]"""
        begun_s = self.now_s - interval * self.terms.interval_s
        return min(begun_s, self.terms.interval_s) + self.terms.tolerance_s


def _wanted(due: Due, clock: _Clock, going: Sequence[Draft]) -> list[tuple[int, float]]:
    """Return the intervals to report for, the target last, with the running total of each. [Wh]"""
    earliest = max([clock.sight.interval, *(each.report.interval for each in going)])
    totals_wh = dict(due.ends)
    if clock.takes(due.target) and due.target >= earliest and due.target in totals_wh:
        clock.target = due.target
    else:
        clock.target = max(clock.running, earliest)
    before = [
        (interval, total_wh)
        for interval, total_wh in due.ends
        if earliest <= interval < clock.target and clock.takes(interval)
    ]
    return [*before, (clock.target, totals_wh.get(clock.target, due.total_wh))]


class _Planned:
    """Count what is taken or on its way, and what the contract would take beyond.

    Notes
    -----
    Limits are those of ``FleetChecks._check``: a report, and its interval with it, may not be more
    than the connection carries in the time since the last report and since the interval began,
    each `Terms.tolerance_s` longer. Reports of one batch are in one block.
    """

    def __init__(
        self, clock: _Clock, taken_wh: int, going: Sequence[Draft], most_wh: int | None
    ) -> None:
        self._clock, self._most_wh = clock, most_wh
        self._in = {clock.sight.interval: clock.sight.net_export_wh}
        self.sum_wh = taken_wh
        for each in going:
            self.add(each.report)

    def add(self, report: Report) -> None:
        """Count a report."""
        self.sum_wh += report.net_export_wh
        self._in[report.interval] = self._in.get(report.interval, 0) + report.net_export_wh

    def fitting_wh(self, due_wh: int, interval: int, nonce: int) -> int:
        """Return as much of an energy as the contract takes now. [Wh]"""
        clock, sight = self._clock, self._clock.sight
        first = nonce == sight.nonce
        since_s = clock.terms.tolerance_s + (clock.now_s - sight.reported_s if first else 0)
        alone_wh = min(sight.rating_w * max(since_s, 0) // 3600, _WIRE_WH)
        if first and self._most_wh is not None:
            alone_wh = min(alone_wh, max(self._most_wh, 0))
        whole_wh = min(sight.rating_w * clock.allowed_s(interval) // 3600, _WIRE_WH)
        before_wh = self._in.get(interval, 0)
        least_wh = max(-alone_wh, min(-whole_wh - before_wh, 0))
        most_wh = min(alone_wh, max(whole_wh - before_wh, 0))
        return min(max(due_wh, least_wh), most_wh)
