"""The real command against an emulated battery, a node with the fleet and a broker: processes all.

The chain is begun in the past, so that a schedule can be published whose interval runs now.
"""

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from contracts.client import Terms, connect, deploy
from contracts.connection.chain_web3 import rpc_chain
from contracts.deployment import Deployment
from contracts.keystore import keystores
from contracts.local.anvil import anvil_node
from contracts.local.chain_dev import anvil_chain
from contracts.local.embedded import development_accounts
from contracts.promise import Member, Schedule
from contracts.timegrid import TimeGrid
from hems.agent.config import read_config
from hems.agent.health import Health
from hems.agent.ledger.metering import Metering
from hems.agent.setup.init import NewHome, provision
from hems.agent.status import STATE_FILE, read_status
from hems.agent.store import Store
from hems.errors import StoreError

GRIDPACT = [sys.executable, "-c", "from scenarios.cli import main; main()"]
LONG_S = 120.0
STEP_S = 3600
CAPACITY_WH = 10_000
OWNER, MARKET, PLANT = development_accounts(seed=3, count=3)


def until(holds, why):
    """Wait until something holds, and return it; generous, for computers that are busy."""
    deadline_s = time.monotonic() + LONG_S
    while time.monotonic() < deadline_s:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"{why} did not come within {LONG_S:g} s")


class Sonnen:
    """The emulated battery, as its owner's app sees it."""

    def __init__(self, table):
        port = next(line.split()[-1] for line in table.splitlines() if line.startswith("port"))
        self._url = f"http://127.0.0.1:{port}/api/v2/status"

    def status(self):
        with urllib.request.urlopen(self._url, timeout=LONG_S) as answer:
            return json.loads(answer.read())

    @property
    def steered(self):
        return self.status()["OperatingMode"] == "1"


@pytest.fixture(scope="module")
def battery():
    process = subprocess.Popen(
        [*GRIDPACT, "device", "emulate", "sonnen-v2", "--load-w", "400", "--soc", "0.6"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield "".join(iter(process.stdout.readline, "\n"))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(LONG_S)
        process.stdout.close()


@pytest.fixture(scope="module")
def node(needs_anvil):
    """Run a chain whose clock is two intervals behind; give its URL."""
    with anvil_node(start_timestamp=int(time.time()) - 2 * STEP_S) as url:
        yield url


@pytest.fixture
def home(tmp_path, battery, node):
    """Make a home's files, put its fleet on the chain, promise, and bring the clock to now."""
    new = NewHome(
        name="Test",
        device_id="home-1",
        driver="sonnen-v2",
        host="127.0.0.1",
        capacity_wh=CAPACITY_WH,
        power_max_w=3_300,
        import_max_w=10_000,
        export_max_w=10_000,
        zone="Europe/London",
        ledger_url=node,
    )
    folder = tmp_path / "home"
    list(provision(folder, new, created=datetime.now(UTC), light=True))
    text = (folder / "home.toml").read_text()
    begin, end = text.index("[battery]"), text.index("# [meter]")
    text = text[:begin] + battery + text[end:]
    text = text.replace("decide_s = 60", "decide_s = 5").replace("report_s = 900", "report_s = 60")
    (folder / "home.toml").write_text(text)
    (account,) = keystores(folder / "keys")
    promised(node, account.address, folder / "deployment.json")
    return read_config(folder / "home.toml")


def promised(node, account, path):
    """Deploy a fleet of a plant and one home; promise 3 kWh for each interval around now."""
    chain = anvil_chain(node, signers=[OWNER])
    now_s = int(time.time())
    chain.set_time(max(chain.now_s(), now_s - STEP_S - 60))
    terms = Terms(interval_s=STEP_S)
    deployment = deploy(chain, owner=OWNER.address, market=MARKET.address, terms=terms)
    deployment.save(path)
    chain.give(chain.unlocked()[0], [account], 10**18)
    fleet = connect(chain, deployment).fleet
    fleet.enrol([Member(account=account, capacity_wh=CAPACITY_WH, grid_power_w=10_000)])
    first_s = (chain.now_s() // STEP_S + 1) * STEP_S
    fleet.publish(
        Schedule(
            grid=TimeGrid(start=datetime.fromtimestamp(first_s, UTC), step_s=STEP_S, count=4),
            soc_bp=(5_000,) * 4,
            commitment_wh=(3_000,) * 4,
            steered=(True,) * 4,
        )
    )
    chain.set_time(int(time.time()))
    chain.release()


class Running:
    """`gridpact agent run` of a home, and what it says."""

    def __init__(self, config):
        self.config = config
        self.lines = []
        self.process = subprocess.Popen(
            [*GRIDPACT, "agent", "run", "--config", config.path],
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def status(self):
        assert self.process.poll() is None, self.lines
        try:
            return read_status(self.config.home.state_folder)
        except StoreError:
            return None

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(LONG_S)

    def close(self):
        """Hear it out: after a kill its dead-man says something, too."""
        self._reader.join(LONG_S)
        self.process.stderr.close()


@contextmanager
def running(config):
    agent = Running(config)
    try:
        yield agent
    finally:
        if agent.process.poll() is None:
            agent.end(signal.SIGTERM)
        agent.close()


def holds_its_promise(agent, sonnen):
    """Return the status once the contract has answered and the battery is steered for it."""

    def found():
        status = agent.status()
        answered = status is not None and status["standing"]["source"] == "answer"
        return status if answered and sonnen.steered else None

    return until(found, "an answer of the contract and a set-point for it")


def test_a_home_keeps_its_promise_through_kill_9_and_leaves_its_battery_well(home, battery, node):
    sonnen = Sonnen(battery)
    with running(home) as agent:
        status = holds_its_promise(agent, sonnen)
        assert status["standing"]["commitment_wh"] == 3_000
        assert status["standing"]["steered"] is True
        until(lambda: abs(standing_of(agent)["unreported_wh"]) >= 1, "energy that is due")
        agent.end(signal.SIGKILL)
        until(lambda: not sonnen.steered, "the dead-man's return to self-consumption")

    with running(home) as agent:
        holds_its_promise(agent, sonnen)
        until(lambda: standing_of(agent)["reported_wh"], "a report of what was due")
        agent.end(signal.SIGTERM)
    assert agent.process.returncode == 0, agent.lines
    assert agent.lines[-1].endswith("Test: stopped, the battery is back in self-consumption")
    assert not sonnen.steered
    assert all_found_well(home)

    deployment = Deployment.load(home.ledger.deployment_file)
    fleet = connect(rpc_chain(node), deployment).fleet
    now = int(time.time()) // STEP_S
    contract_wh = sum(fleet.export_wh(home.ledger.account, each) for each in (now - 1, now))
    store = Store(home.home.state_folder / STATE_FILE)
    metered_wh = Metering(store, Health(print), interval_s=STEP_S).total_wh
    store.close()
    assert contract_wh == round(metered_wh)


def standing_of(agent):
    return (agent.status() or {"standing": {"unreported_wh": 0, "reported_wh": 0}})["standing"]


def all_found_well(home):
    """Return whether `gridpact agent check` finds nothing wrong with anything."""
    checked = subprocess.run(
        [*GRIDPACT, "agent", "check", "--config", home.path, "--json"],
        capture_output=True,
        text=True,
        timeout=LONG_S,
        check=False,
    )
    found = {each["thing"]: each["ok"] for each in json.loads(checked.stdout)}
    things = ("state folder", "battery", "meter", "key", "ledger", "member", "coin", "clock")
    assert found == dict.fromkeys(things, True), checked.stdout
    return True
