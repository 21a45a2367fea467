"""Commands about who belongs to a fleet and who may report."""

import pytest

from contracts.client import connect
from contracts.connection.chain_web3 import rpc_chain
from contracts.deployment import Deployment
from contracts.errors import FleetMemberHeard, FleetPaused
from contracts.promise import Report


@pytest.fixture
def fleet(gridpact, node, tmp_path):
    """Deploy a fleet with two members of the node, the second with a meter; return its ledger."""
    chain = rpc_chain(node)
    _, _, home, other, meter, *_ = chain.unlocked()
    gridpact("chain", "deploy", "--chain", node)
    (tmp_path / "members.csv").write_text(
        "account,capacity_wh,grid_power_w,meter\n"
        f"{home},10000,12000,\n"
        f"{other},10000,12000,{meter}\n",
        "utf-8",
    )
    gridpact("chain", "enrol", "members.csv", "--chain", node)
    (path,) = (tmp_path / "deployments").glob("*.json")
    return connect(chain, Deployment.load(path)).fleet


def report(fleet, account):
    interval = fleet.chain.now_s() // 1800
    each = Report(account=account, interval=interval, net_export_wh=0, soc_bp=5000)
    return fleet.report_all([each])[0]


def test_a_column_of_meters_is_enrolled(gridpact, node, fleet):
    _, _, home, other, meter, *_ = rpc_chain(node).unlocked()

    assert fleet.member(home).meter is None
    assert fleet.member(other).meter == meter


def test_reports_stop_and_go_on(gridpact, node, fleet):
    home = rpc_chain(node).unlocked()[2]

    assert "stopped" in gridpact("chain", "pause", "--chain", node)
    assert repr(report(fleet, home)) == repr(FleetPaused())
    assert gridpact("chain", "pause", "--chain", node, code=1) == (
        "gridpact: reports are stopped already; `chain unpause` lets them go on\n"
    )
    assert gridpact("chain", "unpause", "--chain", node) == "reports go on\n"
    assert gridpact("chain", "unpause", "--chain", node, code=1) == (
        "gridpact: reports are not stopped\n"
    )
    assert report(fleet, home).gas_used > 21_000


def test_a_member_is_retired_and_another_cannot_lapse_while_it_speaks(gridpact, node, fleet):
    _, _, home, other, *_ = rpc_chain(node).unlocked()
    report(fleet, home)

    refused = gridpact("chain", "lapse", home, "--chain", node, code=1)
    assert home in refused
    assert gridpact("chain", "retire", other, "--chain", node) == f"{other} retired\n"
    assert other in gridpact("chain", "retire", other, "--chain", node, code=1)
    with pytest.raises(FleetMemberHeard):
        fleet.lapse(home)


def test_an_account_that_is_none_is_wrong_use(gridpact, node):
    assert "is no address" in gridpact("chain", "retire", "0x12", "--chain", node, code=2)
