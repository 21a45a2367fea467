"""The real command, told to stop while what it speaks to hangs: it ends, its battery is well."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest

from contracts.keystore import keystores
from devices.clock import SystemClock
from hems.agent.config import read_config
from hems.agent.health import Health
from hems.agent.orders import Order
from hems.agent.setup.init import NewHome, provision
from hems.agent.status import STATE_FILE, read_status
from hems.agent.steering.order_book import OrderBook
from hems.agent.store import Store
from hems.errors import StoreError

GRIDPACT = [sys.executable, "-c", "from scenarios.cli import main; main()"]
LONG_S = 120.0


def until(holds, why):
    """Wait until something holds; generous, for computers that are busy."""
    deadline_s = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < deadline_s, why()
        time.sleep(0.1)


@contextmanager
def black_hole():
    """Take connections and never answer; give the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = []

        def take():
            with suppress(OSError):
                while True:
                    taken.append(listener.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for each in taken:
                each.close()


@pytest.fixture
def battery():
    """Run an emulated battery as a process; give it with its port."""
    process = subprocess.Popen(
        [*GRIDPACT, "device", "emulate", "sonnen-v2", "--load-w", "400", "--soc", "0.6"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        table = "".join(iter(process.stdout.readline, "\n"))
        process.port = next(
            line.split()[-1] for line in table.splitlines() if line.startswith("port")
        )
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        process.wait(LONG_S)
        process.stdout.close()


def steered(battery):
    url = f"http://127.0.0.1:{battery.port}/api/v2/status"
    with urllib.request.urlopen(url, timeout=LONG_S) as answer:
        return json.loads(answer.read())["OperatingMode"] == "1"


@pytest.fixture
def home(tmp_path, battery):
    """Make a home whose node and broker take connections and never answer."""
    with black_hole() as node, black_hole() as broker:
        new = NewHome(
            name="Test",
            device_id="home-1",
            driver="sonnen-v2",
            host="127.0.0.1",
            port=int(battery.port),
            capacity_wh=10_000,
            power_max_w=3_300,
            import_max_w=10_000,
            export_max_w=10_000,
            zone="Europe/London",
            ledger_url=f"http://127.0.0.1:{node}",
            broker_host="127.0.0.1",
        )
        folder = tmp_path / "home"
        list(provision(folder, new, created=datetime.now(UTC), light=True))
        (key,) = keystores(folder / "keys")
        addresses = dict.fromkeys(("owner", "fleet", "settlement", "token"), key.address)
        deployment = {"chain_id": 31_337, "interval_s": 1_800, **addresses}
        (folder / "deployment.json").write_text(json.dumps(deployment))
        text = (folder / "home.toml").read_text()
        for old, changed in (
            ("# token_file", "timeout_s = 1.0\n# token_file"),
            ("report_s = 900", "report_s = 900\nanswer_timeout_s = 1.0\nblock_timeout_s = 1.0"),
            (
                "[broker]\n",
                f"[broker]\nport = {broker}\ntimeout_s = 1.0\ntls = false\nannounce = false\n",
            ),
            ('cert_file = "gateway.pem"', '# cert_file = "gateway.pem"'),
            ('key_file = "gateway.key"', '# key_file = "gateway.key"'),
        ):
            assert old in text, old
            text = text.replace(old, changed)
        (folder / "home.toml").write_text(text)
        yield read_config(folder / "home.toml")


def hold(home, power_w):
    """Let an order of before stand in the state file."""
    folder = home.home.state_folder
    folder.mkdir(mode=0o700)
    store, clock = Store(folder / STATE_FILE), SystemClock()
    ends = clock.utc() + timedelta(hours=1)
    book = OrderBook(store, clock=clock, health=Health(print))
    book.put(Order(correlation_id="o-1", until=ends, battery_power_w=power_w))
    store.close()


@contextmanager
def running(home):
    """Run the agent, and give it with what it says."""
    process = subprocess.Popen(
        [*GRIDPACT, "agent", "run", "--config", home.path], stderr=subprocess.PIPE, text=True
    )
    process.lines = []
    reader = threading.Thread(
        target=lambda: process.lines.extend(map(str.rstrip, process.stderr)), daemon=True
    )
    reader.start()
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        reader.join(LONG_S)
        process.stderr.close()


def has_read(home):
    with suppress(StoreError):
        return read_status(home.home.state_folder)["reading"] is not None
    return False


def begun_with_everything_hanging(home, battery, agent):
    """Wait until the battery is steered and both that hang have been given up once."""
    until(lambda: has_read(home) and steered(battery), lambda: agent.lines)
    until(lambda: any("ledger lost: " in each for each in agent.lines), lambda: agent.lines)
    until(lambda: any("broker lost: " in each for each in agent.lines), lambda: agent.lines)


def test_a_stop_ends_although_node_and_broker_hang(home, battery):
    hold(home, -1_000.0)
    with running(home) as agent:
        begun_with_everything_hanging(home, battery, agent)
        agent.send_signal(signal.SIGTERM)
        agent.wait(LONG_S)  # thirty seconds each for what is taken leave of, at most

    assert agent.returncode == 0, agent.lines
    assert not steered(battery)
    assert agent.lines[-1].endswith("Test: stopped, the battery is back in self-consumption")
    assert sum("ledger lost: " in each for each in agent.lines) == 1
    assert sum("broker lost: " in each for each in agent.lines) == 1


def test_a_stop_ends_although_the_battery_hangs_and_its_dead_man_brings_it_back(home, battery):
    hold(home, -1_000.0)
    with running(home) as agent:
        until(lambda: has_read(home) and steered(battery), lambda: agent.lines)
        battery.send_signal(signal.SIGSTOP)
        agent.send_signal(signal.SIGTERM)
        agent.wait(LONG_S)
        battery.send_signal(signal.SIGCONT)
        until(lambda: not steered(battery), lambda: agent.lines)

    assert agent.returncode == 1, agent.lines
    (line,) = [each for each in agent.lines if each.startswith("gridpact: ")]
    assert "battery" in line
