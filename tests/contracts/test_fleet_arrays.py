"""Reports and answers as arrays are those as objects, to the byte."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.client import Terms, connect, deploy
from contracts.errors import LedgerError, LedgerReplyError
from contracts.fleet_arrays import Answers, FleetReport, coordination_answers, report_calls
from contracts.fleet_client import REPORT, _report_data
from contracts.local.embedded import development_accounts, embedded_chain
from contracts.promise import Member, Report
from scenarios.simulation.fleet import made_up_accounts

INT32 = st.integers(-(2**31) + 1, 2**31 - 1)


@given(
    interval=st.integers(0, 2**32 - 1),
    rows=st.lists(st.tuples(INT32, st.integers(0, 10_000)), min_size=1, max_size=5),
)
def test_reports_are_the_same_bytes_either_way(interval, rows):
    accounts = made_up_accounts(len(rows))
    energies, charges = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))

    calls = report_calls(
        REPORT.selector,
        FleetReport(accounts=accounts, interval=interval, net_export_wh=energies, soc_bp=charges),
    )

    assert calls == [
        _report_data(Report(account=account, interval=interval, net_export_wh=wh, soc_bp=bp))
        for account, (wh, bp) in zip(accounts, rows, strict=True)
    ]


@pytest.mark.parametrize("prefer", ["pyrevm", "eth-tester"])
def test_fleet_that_reports_as_arrays_stands_where_one_stands_that_reports_as_objects(prefer):
    keys = development_accounts(3, 6)
    owner, market, *members = (key.address for key in keys)
    start_s = 1_700_001_000
    said = {}
    for way in ("objects", "arrays"):
        chain = embedded_chain(start_timestamp=start_s, accounts=keys, prefer=prefer)
        terms = Terms(interval_s=1800)
        fleet = connect(chain, deploy(chain, owner=owner, market=market, terms=terms)).fleet
        # the last of the members is a stranger
        fleet.enrol(
            [Member(account=m, capacity_wh=9_000, grid_power_w=6_000) for m in members[:-1]]
        )
        interval = start_s // 1800 + 1
        log = []
        for step, (energies, charges) in enumerate(
            [([0, 0, 0, 0], [1000, 0, 9999, 1]), ([90, -120, 100_000, 5], [1100, 10, 9000, 10_000])]
        ):
            chain.set_time(interval * 1800 + 300 * step)
            if way == "arrays":
                outcomes = fleet.report_arrays(
                    FleetReport(
                        accounts=members,
                        interval=interval,
                        net_export_wh=np.array(energies),
                        soc_bp=np.array(charges),
                    )
                )
                refused = {place: str(each) for place, each in outcomes.refusals.items()}
                answers = fleet.coordinate_arrays(members[:-1], interval)
            else:
                entries = fleet.report_all(
                    [
                        Report(account=m, interval=interval, net_export_wh=wh, soc_bp=bp)
                        for m, wh, bp in zip(members, energies, charges, strict=True)
                    ]
                )
                refused = {
                    place: str(each)
                    for place, each in enumerate(entries)
                    if isinstance(each, LedgerError)
                }
                answers = Answers.of(fleet.coordinate(members[:-1], interval))
            columns = {name: getattr(answers, name).tolist() for name in Answers.__slots__}
            log += [refused, columns, fleet.delivery(interval)]
        said[way] = log

    assert said["arrays"] == said["objects"]
    assert set(said["arrays"][0]) == {3}
    assert set(said["arrays"][3]) == {2, 3}


def test_answer_of_another_length_is_told():
    with pytest.raises(LedgerReplyError, match="answered 31 bytes, not 192"):
        coordination_answers([bytes(192), bytes(31)])


@pytest.mark.parametrize(
    ("energy_wh", "soc_bp", "message"),
    [
        ([2**31], [0], "does not fit the wire"),
        ([0], [10_001], "does not fit the wire"),
        ([0], [-1], "does not fit the wire"),
        ([0, 1], [0], "one of each per account"),
    ],
)
def test_report_that_does_not_fit_the_wire_is_refused_before_it_is_sent(energy_wh, soc_bp, message):
    with pytest.raises(ValueError, match=message):
        FleetReport(
            accounts=made_up_accounts(1),
            interval=1,
            net_export_wh=np.array(energy_wh),
            soc_bp=np.array(soc_bp),
        )
