"""What the paper claims of policies, windows and costs, beside what came out here."""

from collections.abc import Callable, Sequence
from typing import Final

from scenarios.dispatch.plant import Generation
from scenarios.marchi import cases, paper
from scenarios.marchi.beside_cars import CLAIMS_OF_CARS
from scenarios.marchi.study import PAPERS, TODAYS, Found
from scenarios.report.judged import Claim, Verdict
from scenarios.report.quantity import decimal, money, percent, plural

AHEAD, BEHIND, TARGET, INPUT, MANUAL = paper.POLICIES
EQUAL_KW: Final = 0.05
"""Peaks that differ by less are printed alike. [kW]"""
NEAR_LOSS: Final = 0.03
"""Lost capacities that differ by no more are alike."""


def claims(found: Found) -> list[Claim]:
    """Return every claim of sections III and IV that the study can answer.

    Parameters
    ----------
    found : Found
        What it came to; judged is what SAM of 2020 does, which the paper must have run.
    """
    return [claim(found) for claim in (*_CLAIMS, *CLAIMS_OF_CARS)]


def graded(right: Sequence[bool]) -> Verdict:
    """Return whether all, some or none of a claim's parts hold."""
    if all(right):
        return "holds"
    return "holds in part" if any(right) else "does not hold"


def _peaks(found: Found, number: int, generation: Generation = PAPERS) -> list[float]:
    return [found.matrix[generation, window, number].peak_kw for window in cases.WINDOWS]


def _mwh(found: Found, number: int) -> list[float]:
    return [found.matrix[PAPERS, window, number].delivered_mwh for window in cases.WINDOWS]


def _range(values: Sequence[float], digits: int, unit: str) -> str:
    low, high = (decimal(end, digits) for end in (min(values), max(values)))
    return f"{low if low == high else f'{low} to {high}'} {unit}"


def _lowest_peak(found: Found) -> Claim:
    peaks = {number: _peaks(found, number) for number in paper.POLICIES}
    by_window = list(zip(*peaks.values(), strict=True))
    right = [round(row[0], 1) <= round(min(row), 1) for row in by_window]
    others = _range([min(row[1:]) for row in by_window], 1, "kW")
    return Claim(
        text="Peak shaving with a day's look-ahead (1) has the lowest peak in every configuration.",
        printed="50.8 to 52.3 kW, the next best 57.8 to 57.9 kW",
        ours=f"{_range(peaks[AHEAD], 1, 'kW')}, the next best {others}",
        verdict=graded(right),
        reason=f"So it is in {sum(right)} of {len(right)}. No dispatch of this battery, charged by "
        f"PV alone, goes below {_range([best.peak_kw for best in found.best.values()], 1, 'kW')}.",
    )


def _behind(found: Found) -> Claim:
    least_energy = [
        min(paper.POLICIES, key=lambda n: found.matrix[PAPERS, window, n].delivered_mwh) == BEHIND
        for window in cases.WINDOWS
    ]
    unshaved = [
        peak > other - EQUAL_KW
        for peak, other in zip(_peaks(found, BEHIND), _peaks(found, AHEAD), strict=True)
    ]
    return Claim(
        text="Peak shaving with a day's look-behind (2) is the worst: high peaks, little energy.",
        printed="57.8 to 59.2 kW and 1.56 to 2.52 MWh",
        ours=f"{_range(_peaks(found, BEHIND), 1, 'kW')} and "
        f"{_range(_mwh(found, BEHIND), 2, 'MWh')}",
        verdict=graded([*least_energy, *unshaved]),
        reason="SAM of 2020 plays back the battery's profile of yesterday, whatever today's load. "
        "That of 2025 reacts to today's load with yesterday's target: "
        f"{_range(_peaks(found, BEHIND, TODAYS), 1, 'kW')}.",
    )


def _between(found: Found) -> Claim:
    without = max(found.peaks[PAPERS, 2])
    right = [peak < without - EQUAL_KW for peak in _peaks(found, TARGET)]
    ahead, target, most = (_mwh(found, number) for number in (AHEAD, TARGET, INPUT))
    right += [a < t < m for a, t, m in zip(ahead, target, most, strict=True)]
    return Claim(
        text="The grid power target (3) stands between: acceptable peak, more energy than shaving.",
        printed="57.8 to 58 kW, 3.06 to 3.38 MWh",
        ours=f"{_range(_peaks(found, TARGET), 1, 'kW')}, {_range(target, 2, 'MWh')}",
        verdict=graded(right),
        reason=f"Without battery the peak is {decimal(without)} kW. The targets were set by hand "
        "for the paper's load; with the monthly peaks of the optimum as targets instead, the "
        f"policy brings {_tuned(found)} of the greatest saving.",
    )


def _tuned(found: Found) -> str:
    shares = [bill.share(bill.tuned) for bill in found.bills.values()]
    plain = [bill.share(bill.by_policy[PAPERS][TARGET]) for bill in found.bills.values()]
    return (
        f"{percent(min(shares), 0)} to {percent(max(shares), 0)} instead of "
        f"{percent(min(plain), 0)} to {percent(max(plain), 0)}"
    )


def _most_energy(found: Found) -> Claim:
    without = max(found.peaks[PAPERS, 2])
    most = [
        max(paper.POLICIES, key=lambda n: found.matrix[PAPERS, window, n].delivered_mwh) == INPUT
        for window in cases.WINDOWS
    ]
    unshaved = [peak > without - EQUAL_KW for peak in _peaks(found, INPUT)]
    wishes = [found.wishes[PAPERS, name] for name in cases.WISHES]
    return Claim(
        text="Input dispatch (4) gives most energy and leaves the highest peak.",
        printed="6.87 to 7.94 MWh (2.75 to 3.18 %), 59.2 kW",
        ours=f"{_range(_mwh(found, INPUT), 2, 'MWh')}, {_range(_peaks(found, INPUT), 1, 'kW')}",
        verdict=graded([*most, *unshaved]),
        reason="The paper does not say which of its five power series that is: shown is "
        f"({cases.SHOWN_WISH}). All five, 20 to 90 %: "
        f"{_range([wish.delivered_mwh for wish in wishes], 2, 'MWh')}, "
        f"{_range([wish.peak_kw for wish in wishes], 1, 'kW')}. The more passes through the "
        "battery, the more is lost in it: energy alone is no gain where PV would have covered "
        "the load.",
    )


def _manual(found: Found) -> Claim:
    without = max(found.peaks[PAPERS, 2])
    unshaved = [peak > without - EQUAL_KW for peak in _peaks(found, MANUAL)]
    kept = [
        max(paper.POLICIES, key=lambda n: found.matrix[PAPERS, window, n].left[-1]) == MANUAL
        for window in cases.WINDOWS
    ]
    lost = [1 - found.matrix[PAPERS, window, MANUAL].left[-1] for window in cases.WINDOWS]
    return Claim(
        text="Manual dispatch (5) wears the battery least and does not lower the peak.",
        printed="16.9 % lost in 25 years, 59.2 kW",
        ours=f"{percent(min(lost))} to {percent(max(lost))} lost, "
        f"{_range(_peaks(found, MANUAL), 1, 'kW')}",
        verdict=graded([*unshaved, *kept]),
        reason="It charges with surplus only and empties the battery a little in every hour, so "
        "in the months of the highest peaks there is nothing in it. It stands at a low charge "
        "most of the time, which ages least by time.",
    )


def _window(found: Found) -> Claim:
    right = []
    for number in paper.POLICIES:
        left = {w: found.matrix[PAPERS, w, number].left[-1] for w in cases.WINDOWS}
        right.append(max(left, key=lambda window: left[window]) == cases.SHOWN_WINDOW)
    lost = {
        window: sum(1 - found.matrix[PAPERS, window, n].left[-1] for n in paper.POLICIES) / 5
        for window in cases.WINDOWS
    }
    told = ", ".join(
        f"{percent(low, 0)} to {percent(high, 0)}: {percent(lost[window])}"
        for window, (low, high) in cases.WINDOWS.items()
    )
    return Claim(
        text="The window from 20 to 90 % (configuration 3) ages the battery least.",
        printed="in the text, without figures",
        ours=f"with {plural(sum(right), 'policy', 'policies')} of five",
        verdict=graded(right),
        reason=f"Capacity lost in 25 years, mean of the policies: {told}. A lower upper end means "
        "less time at high charge.",
    )


def _life(found: Found) -> Claim:
    year = found.matrix[PAPERS, cases.SHOWN_WINDOW, TARGET]
    lost, printed = 1 - year.left[-1], paper.LOST_CAPACITY[TARGET]
    today = 1 - found.matrix[TODAYS, cases.SHOWN_WINDOW, TARGET].left[-1]
    return Claim(
        text="Under the grid power target (3) the battery loses less than a quarter in 25 years.",
        printed=percent(printed, 0),
        ours=percent(lost),
        verdict=graded([lost < 1 / 4, abs(lost - printed) <= NEAR_LOSS]),
        reason="By SAM's lithium iron phosphate and the worse of ageing by use and by time, as in "
        f"2020. Today's SAM adds the two: {percent(today)}.",
    )


def _efficiency(found: Found) -> Claim:
    shown = {n: found.matrix[PAPERS, cases.SHOWN_WINDOW, n].round_trip for n in paper.POLICIES}
    best = sorted(shown, key=lambda number: -shown[number])
    right = [set(best[:2]) == {TARGET, INPUT}, best[-1] == BEHIND]
    told = ", ".join(f"{number}: {percent(shown[number])}" for number in paper.POLICIES)
    return Claim(
        text="Policies 3 and 4 have the best round trip, policy 2 the worst.",
        printed="1: 92 %, 2: 90 %, 3: 94 %, 4: 94 %, 5: 93 %",
        ours=told,
        verdict=graded(right),
        reason="Over 25 years, at the AC side, where PV on the way to a battery on the DC side "
        "has not yet lost what its inverter takes. What is lost beyond conversion grows with the "
        "current.",
    )


def _best_policy(found: Found) -> Claim:
    winners = [winner(found, pair) for pair in found.study.pairs]
    won = {number: winners.count(number) for number in paper.POLICIES if number in winners}
    told = ", ".join(
        f"policy {number} at {plural(count, 'pair')} of prices" for number, count in won.items()
    )
    daily = [bill.share(bill.carried) for bill in found.bills.values()]
    return Claim(
        text="The grid power target (3) is the best policy for this campus.",
        printed="a good reduction of peaks, a satisfying energy support, and flexibility",
        ours=f"cheapest are {told}",
        verdict=graded([each == TARGET for each in winners]),
        reason="Judged by the year's cost in configuration 3 at the paper's nine pairs of prices. "
        "Its targets fit another load than this one. A plan that weighs surplus and peaks anew "
        f"each midnight reaches {percent(min(daily), 0)} to {percent(max(daily), 0)} of the "
        "optimum's saving.",
    )


def winner(found: Found, pair: tuple[float, float]) -> int:
    """Return the policy that is cheapest at a pair of prices."""
    costs = found.bills[pair].by_policy[PAPERS]
    return min(costs, key=lambda number: costs[number])


def _pv_saves(found: Found) -> Claim:
    saved = [1 - bill.pv / bill.grid for bill in found.bills.values()]
    mean = sum(saved) / len(saved)
    return Claim(
        text="PV lowers the year's cost by about 23 %.",
        printed=percent(paper.PV_SAVES, 0),
        ours=f"{percent(min(saved), 0)} to {percent(max(saved), 0)}, {percent(mean, 0)} on average",
        verdict="holds" if min(saved) <= paper.PV_SAVES <= max(saved) else "holds in part",
        reason="Nothing is paid for export. The dearer peaks are, the less PV saves: it has none "
        "for a winter's evening.",
    )


def _battery_saves(found: Found) -> Claim:
    saved = [bill.pv - bill.by_policy[PAPERS][TARGET] for bill in found.bills.values()]
    shares = [each / bill.pv for each, bill in zip(saved, found.bills.values(), strict=True)]
    all_saved = [
        bill.pv - bill.by_policy[PAPERS][number]
        for bill in found.bills.values()
        for number in paper.POLICIES
    ]
    lost = sum(each < 0 for each in all_saved)
    return Claim(
        text="The battery changes the cost little, and sometimes raises it.",
        printed="no significant change from PV alone",
        ours=f"{percent(min(shares))} to {percent(max(shares))} less with policy 3",
        verdict=graded([max(shares) < paper.PV_SAVES / 2, lost > 0]),
        reason=f"Of {len(all_saved)} pairs of policy and prices {lost} cost more than PV alone"
        + (f", by {money(-min(all_saved), 'EUR')} a year at most" if lost else "")
        + f"; the best saves {money(max(all_saved), 'EUR', 0)}. The optimum saves "
        f"{percent(max(1 - bill.best / bill.pv for bill in found.bills.values()))} at most.",
    )


def _peaks_pay(found: Found) -> Claim:
    shares = {
        pair: 1 - bill.by_policy[PAPERS][TARGET] / bill.pv for pair, bill in found.bills.items()
    }
    best = max(shares, key=lambda pair: shares[pair])
    dearest = max(shares, key=lambda pair: pair[1] / pair[0])
    return Claim(
        text="The battery is worth more the dearer peaks and the cheaper energy are.",
        printed="in the text, without figures",
        ours=f"its share of the cost is greatest, {percent(shares[best])}, at "
        f"{best[0] / 1000:g} EUR/kWh and {best[1]:g} EUR/kW",
        verdict="holds" if best == dearest else "does not hold",
        reason=f"And least, {percent(min(shares.values()))}, at "
        f"{min(shares, key=lambda pair: shares[pair])[0] / 1000:g} EUR/kWh and "
        f"{min(shares, key=lambda pair: shares[pair])[1]:g} EUR/kW; policy 3, 20 to 90 %.",
    )


_CLAIMS: Final[tuple[Callable[[Found], Claim], ...]] = (
    _best_policy,
    _lowest_peak,
    _behind,
    _between,
    _most_energy,
    _manual,
    _life,
    _window,
    _efficiency,
    _pv_saves,
    _battery_saves,
    _peaks_pay,
)
