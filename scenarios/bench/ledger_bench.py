"""What the contracts cost, as Anvil's receipts count it, and how fast they are in process.

Notes
-----
Every figure is of one invented day: homes of 12 kW report 321 Wh, a number of two bytes, every
300 s, six times in an interval of 1800 s, two seconds before each multiple of 300 s.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from contracts.chain import Call, Receipt
from contracts.client import Ledger, Terms, connect, deploy
from contracts.errors import LedgerError
from contracts.fleet_client import all_or_raise
from contracts.local.anvil import anvil_node
from contracts.local.chain_crowd import CrowdChain, crowd
from contracts.local.embedded import EmbeddedChain, development_accounts
from contracts.promise import Clearing, Member, Report, Schedule
from contracts.settlement_client import CLAIM, SETTLE
from contracts.signing import sign_report
from contracts.timegrid import TimeGrid
from scenarios.bench.progress import Tell

SIZES: Final = (10, 100, 1_000, 10_000)
"""Homes of the fleets that are compared."""
DAY_HOMES: Final = 10
"""Homes whose whole day is measured."""
BATCH: Final = 70
"""Reports that a relay hands in at once, and homes whose reports are counted by the second."""
GRID: Final = TimeGrid(start=datetime(2026, 6, 1, tzinfo=UTC), step_s=1800, count=48)
"""The day."""

Figures = dict[str, int | float | list[dict[str, int]]]
"""Figures by key."""

_START_S: Final = int(GRID.start.timestamp())
_REPORT_S: Final = 300
_FIRST_S: Final = 298
_EXPORT_WH: Final = 321
_COMMITMENT_WH: Final = 1_200
_SOC_BP: Final = 5_000
_FEE_BP: Final = 1_000
_PRICE_MICRO: Final = 80_000_000
_FUNDS_MICRO: Final = 10**12
_TOLERANCE_S: Final = 60
_OWNER, _MARKET = crowd("owner", 1)[0], crowd("market", 1)[0]


def gas_figures(*, sizes: Sequence[int] = SIZES, tell: Tell | None = None) -> Figures:
    """Return what calls cost. [gas]

    Parameters
    ----------
    sizes : sequence of int
        Homes of the fleets that are compared.
    tell : callable, optional
        Told of the progress.

    Returns
    -------
    Figures
        ``report_gas`` and ``import_report_gas`` are the dearest report after a home's first in an
        interval; ``day_report_gas`` is the average of all reports of a day; ``settle_gas`` and
        ``claim_48_gas`` the dearest of a day with losses and with readings at the boundary.

    Raises
    ------
    LedgerUnavailableError
        If there is no Anvil.
    """
    tell = tell or _tell_nobody
    figures = day_gas(tell)
    figures["batch_gas_per_home"] = batch_gas_per_home(tell)
    by_size: list[dict[str, int]] = []
    for homes in sizes:
        tell("fleets", sum(each["homes"] for each in by_size), sum(sizes))
        by_size.append(fleet_gas(homes))
    tell("fleets", sum(sizes), sum(sizes))
    figures["by_fleet_size"] = by_size
    return figures


def day_gas(tell: Tell) -> Figures:
    """Return what a day of ten homes costs, from its publication to its payment. [gas]"""
    homes = crowd("home", DAY_HOMES)
    with _fleet(homes) as (chain, ledger):
        published = _publish(ledger, DAY_HOMES)
        first, further, imports = _report_day(chain, ledger, homes, tell)
        settled, claimed = _settle_day(chain, ledger, homes[:2])
    every = [*first, *further, *imports]
    return {
        "report_gas": max(further),
        "import_report_gas": max(imports),
        "day_report_gas": round(sum(every) / len(every), 1),
        "publish_48_gas": published,
        "settle_gas": max(settled),
        "claim_48_gas": max(claimed),
    }


def batch_gas_per_home(tell: Tell) -> float:
    """Return what a signed report costs in a relay's batch, where each home reported before. [gas]

    Parameters
    ----------
    tell : callable
        Told of the progress.
    """
    tell("signed batch", 0, 1)
    signers = development_accounts(seed=3, count=BATCH)
    homes = [signer.address for signer in signers]
    with _fleet(homes) as (chain, ledger):
        chain.set_time(_START_S + _FIRST_S)
        _gas(ledger.fleet.report_all(_reports(homes, GRID.first_interval)))
        chain.set_time(_START_S + _FIRST_S + _REPORT_S)
        domain, nonces = ledger.fleet.domain(), ledger.fleet.nonces(homes)
        reports = _reports(homes, GRID.first_interval)
        batch = [
            sign_report(report, nonce, domain, signer)
            for report, nonce, signer in zip(reports, nonces, signers, strict=True)
        ]
        used = _gas(ledger.fleet.report_signed(batch))[0]
    tell("signed batch", 1, 1)
    return round(used / BATCH, 1)


def fleet_gas(size: int) -> dict[str, int]:
    """Return what a report and a settlement cost in a fleet that all reported in. [gas]

    Parameters
    ----------
    size : int
        Number of homes.
    """
    homes = crowd("home", size)
    with _fleet(homes) as (chain, ledger):
        _publish(ledger, size)
        chain.set_time(_START_S + _FIRST_S)
        _gas(ledger.fleet.report_all(_reports(homes, GRID.first_interval)))
        chain.set_time(_START_S + _FIRST_S + _REPORT_S)
        (report,) = _gas(ledger.fleet.report_all(_reports(homes[-1:], GRID.first_interval)))
        chain.set_time(_START_S + 2 * GRID.step_s)
        ledger.settlement.fund(_FUNDS_MICRO)
        ledger.settlement.post([_clearing(GRID.first_interval)])
        call = Call(
            sender=_OWNER,
            to=ledger.settlement.address,
            data=SETTLE.encode(GRID.first_interval),
        )
        (settled,) = _gas(chain.send_all([call]))
    return {"homes": size, "report_gas": report, "settle_gas": settled}


def reports_per_s(lasting_s: float = 3.0, tell: Tell | None = None) -> int:
    """Return how many reports pyrevm takes in a second of one core. [1/s]

    Parameters
    ----------
    lasting_s : float
        How much of the core's time to measure at least. [s]
    tell : callable, optional
        Told of the progress.

    Notes
    -----
    Counted is the processor's time within `contracts.ledger.HomeLedger.report_all` of seventy homes
    on a fresh chain, from values to receipts: encoding, the contract and decoding its events.
    """
    from contracts.local.chain_revm import RevmChain  # noqa: PLC0415 -- an optional dependency

    tell = tell or _tell_nobody
    homes = crowd("home", BATCH)
    chain = RevmChain(start_timestamp=_START_S - 2 * GRID.step_s)
    ledger = _deployed(chain, homes)
    count, taken_s, now_s = 0, 0.0, _START_S
    while taken_s < lasting_s:
        now_s += _REPORT_S
        chain.set_time(now_s)
        reports = _reports(homes, (now_s - 1) // GRID.step_s)
        begun = time.process_time()
        outcomes = ledger.fleet.report_all(reports)
        taken_s += time.process_time() - begun
        count += len(all_or_raise(outcomes))
        tell("reports", round(10 * min(taken_s, lasting_s)), round(10 * lasting_s))
    return round(count / taken_s)


@contextmanager
def _fleet(homes: Sequence[str]) -> Iterator[tuple[CrowdChain, Ledger]]:
    """Yield a chain of its own with a fleet of ``homes``, an hour before the day."""
    with anvil_node(start_timestamp=_START_S - 2 * GRID.step_s) as url:
        chain = CrowdChain(url)
        yield chain, _deployed(chain, homes)


def _deployed(chain: EmbeddedChain, homes: Sequence[str]) -> Ledger:
    """Return a fleet of ``homes`` whose owner has money."""
    terms = Terms(interval_s=GRID.step_s, fee_bp=_FEE_BP, tolerance_s=_TOLERANCE_S)
    ledger = connect(chain, deploy(chain, owner=_OWNER, market=_MARKET, terms=terms))
    ledger.fleet.enrol(
        [Member(account=home, capacity_wh=10_300, grid_power_w=12_000) for home in homes]
    )
    ledger.token.mint(_OWNER, 2 * _FUNDS_MICRO, owner=_OWNER)
    return ledger


def _publish(ledger: Ledger, homes: int) -> int:
    """Publish a day that ``homes`` can nearly keep; return what it costs. [gas]"""
    commitment_wh = homes * _COMMITMENT_WH
    schedule = Schedule(
        grid=GRID,
        soc_bp=tuple(range(4_000, 4_000 + GRID.count)),
        commitment_wh=tuple(range(commitment_wh, commitment_wh + GRID.count)),
        steered=(True,) * GRID.count,
    )
    return _gas([ledger.fleet.publish(schedule)])[0]


def _report_day(
    chain: CrowdChain, ledger: Ledger, homes: Sequence[str], tell: Tell
) -> tuple[list[int], list[int], list[int]]:
    """Return the gas of the first reports of intervals, of further ones, and of further imports.

    The last home imports.
    """
    first, further, imports = [], [], []
    for place, interval in enumerate(GRID.intervals):
        tell("a day of reports", place, GRID.count)
        for seconds in range(_FIRST_S, GRID.step_s, _REPORT_S):
            chain.set_time(interval * GRID.step_s + seconds)
            *exporters, importer = _reports(homes, interval)
            importing = Report(
                account=importer.account,
                interval=interval,
                net_export_wh=-_EXPORT_WH,
                soc_bp=importer.soc_bp,
            )
            gas = _gas(ledger.fleet.report_all([*exporters, importing]))
            if seconds == _FIRST_S:
                first += gas
            else:
                further += gas[:-1]
                imports += gas[-1:]
    tell("a day of reports", GRID.count, GRID.count)
    return first, further, imports


def _settle_day(
    chain: CrowdChain, ledger: Ledger, claimants: Sequence[str]
) -> tuple[list[int], list[int]]:
    """Return the gas of each interval's settlement and of each claim of the whole day.

    Every tenth interval makes a loss, the first of which the bond does not cover; every fifth has a
    reading at the boundary that differs from the reports.
    """
    chain.set_time(_START_S + (GRID.count + 1) * GRID.step_s)
    ledger.settlement.fund(_FUNDS_MICRO)
    ledger.settlement.deposit_bond(100)
    for interval in GRID.intervals[::5]:
        ledger.settlement.post_boundary(interval, 1)
    ledger.settlement.post(
        [
            _clearing(interval, -_PRICE_MICRO if place % 10 == 0 else _PRICE_MICRO)
            for place, interval in enumerate(GRID.intervals)
        ]
    )
    to = ledger.settlement.address
    settled = [Call(sender=_OWNER, to=to, data=SETTLE.encode(each)) for each in GRID.intervals]
    claim = CLAIM.encode(GRID.first_interval, GRID.count)
    claimed = [Call(sender=home, to=to, data=claim) for home in claimants]
    return _gas(chain.send_all(settled)), _gas(chain.send_all(claimed))


def _reports(homes: Sequence[str], interval: int) -> list[Report]:
    return [
        Report(account=home, interval=interval, net_export_wh=_EXPORT_WH, soc_bp=_SOC_BP)
        for home in homes
    ]


def _clearing(interval: int, price: int = _PRICE_MICRO) -> Clearing:
    return Clearing(
        interval=interval, price_micro_per_mwh=price, imbalance_price_micro_per_mwh=1_000_000
    )


def _gas(outcomes: Sequence[Receipt | LedgerError]) -> list[int]:
    """Return what calls cost; raise the first refusal, since no figure stands without it. [gas]"""
    return [int(receipt.gas_used or 0) for receipt in all_or_raise(outcomes)]


def _tell_nobody(_: str, __: float, ___: float) -> None:
    """Stand in for a `Tell` that nobody gave."""
