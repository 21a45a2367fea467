"""What a gateway lives among, for measurements: a fleet on a node, a broker, a home's files."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from contracts.client import Ledger, Terms, connect, deploy
from contracts.deployment import Deployment
from contracts.keystore import new_keystore
from contracts.local.anvil import anvil_process
from contracts.local.chain_dev import DevelopmentChain, anvil_chain
from contracts.local.embedded import development_accounts
from contracts.local.local_node import free_port
from contracts.promise import Member, Schedule
from contracts.timegrid import TimeGrid
from scenarios.errors import DataError

Tables = Mapping[str, Mapping[str, object]]
STARTED_S: Final = 60.0
"""How long a process may take to answer. [s]"""
CAPACITY_WH: Final = 10_000
"""Battery of the home. [Wh]"""
GRID_W: Final = 12_000
"""Connection of the home, as it is enrolled. [W]"""
PASSPHRASE: Final = "keystore.passphrase"  # noqa: S105 -- a file's name


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetHere:
    """A fleet with one home on a node of this computer."""

    url: str
    """The node."""
    chain: DevelopmentChain
    """The node, whose clock we hold."""
    ledger: Ledger
    """The contracts."""
    deployment: Deployment
    """Where they are."""
    account: str
    """The home's address."""


@contextmanager
def fleet_here(
    folder: Path, *, now_s: int, interval_s: int, commitments_wh: Sequence[int]
) -> Iterator[FleetHere]:
    """Run Anvil with a fleet of one home, whose key and address file are put into a folder.

    Parameters
    ----------
    folder : Path
        The home's.
    now_s : int
        Time of the chain in the end. [s since 1970]
    interval_s : int
        Length of a market interval. [s]
    commitments_wh : sequence of int
        What is promised of each interval from the one at ``now_s`` on. [Wh]

    Raises
    ------
    LedgerUnavailableError
        If Anvil is not installed or does not start.
    """
    account = _new_key(folder)
    begin_s = now_s // interval_s * interval_s
    owner, market = development_accounts(seed=5, count=2)
    with anvil_process(start_timestamp=begin_s - interval_s, port=None, accounts=3) as node:
        chain = anvil_chain(node.url, signers=[owner])
        terms = Terms(interval_s=interval_s)
        deployment = deploy(chain, owner=owner.address, market=market.address, terms=terms)
        deployment.save(folder / "deployment.json")
        chain.give(chain.unlocked()[0], [account], 10**19)
        ledger = connect(chain, deployment)
        ledger.fleet.enrol([Member(account=account, capacity_wh=CAPACITY_WH, grid_power_w=GRID_W)])
        count = len(commitments_wh)
        for first in range(0, count, 24):
            part = tuple(commitments_wh[first : first + 24])
            start = datetime.fromtimestamp(begin_s + first * interval_s, UTC)
            ledger.fleet.publish(
                Schedule(
                    grid=TimeGrid(start=start, step_s=interval_s, count=len(part)),
                    soc_bp=(5_000,) * len(part),
                    commitment_wh=part,
                    steered=tuple(each > 0 for each in part),
                )
            )
        chain.set_time(max(now_s, chain.now_s()))
        chain.release()
        yield FleetHere(
            url=node.url, chain=chain, ledger=ledger, deployment=deployment, account=account
        )


def _new_key(folder: Path) -> str:
    """Make the home's key with its passphrase; return its address."""
    secret = folder / PASSPHRASE
    secret.touch(mode=0o600)
    secret.write_text("of no worth\n", "utf-8")
    created = datetime.now(UTC)
    return new_keystore(folder / "keys", "of no worth", created=created, light=True).address


@contextmanager
def broker_here(folder: Path) -> Iterator["BrokerHere"]:
    """Run a broker without a lock on this computer: mosquitto, or amqtt where there is none."""
    broker = BrokerHere(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


class BrokerHere:
    """A broker's process, killed and started again at will."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        """Where it listens."""
        self._process: subprocess.Popen[bytes] | None = None
        # Debian puts it where only root's PATH leads
        found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        self._command = [sys.executable, "-m", "scenarios.bench.agent_bench_broker", str(self.port)]
        if found is not None:
            place = folder / "mosquitto.conf"
            lines = f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
            place.write_text(lines, "utf-8")
            self._command = [found, "-c", str(place)]

    def start(self) -> None:
        """Start it, and wait until it listens.

        Raises
        ------
        DataError
            If it does not.
        """
        self._process = quiet(self._command)
        deadline_s = time.monotonic() + STARTED_S
        while time.monotonic() < deadline_s and self._process.poll() is None:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        msg = f"no broker at port {self.port}: {' '.join(self._command)} does not start; try it"
        raise DataError(msg)

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def quiet(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a process that nobody listens to."""
    return subprocess.Popen(  # noqa: S603 -- our own words
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def write_home(folder: Path, tables: Tables) -> Path:
    """Write a home.toml of these tables; return where it is."""
    lines: list[str] = []
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    path = folder / "home.toml"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def home_tables(
    *, battery: Mapping[str, object], ledger_url: str, account: str, broker_port: int
) -> dict[str, dict[str, object]]:
    """Return a home's tables as `gridpact agent init` would have them, with its own defaults."""
    return {
        "home": {"name": "Bench", "device_id": "home-1", "state_folder": "state"},
        "battery": dict(battery),
        "storage": {"capacity_wh": CAPACITY_WH, "power_max_w": 3_300},
        "grid": {"import_max_w": GRID_W, "export_max_w": GRID_W},
        "tariff": {"import_price_per_mwh": 250, "export_price_per_mwh": 50},
        "ledger": {
            "url": ledger_url,
            "deployment_file": "deployment.json",
            "account": account,
            "keys": "keys",
            "passphrase_file": PASSPHRASE,
        },
        "broker": {"host": "127.0.0.1", "port": broker_port, "tls": False, "announce": False},
    }


def _toml(value: object) -> str:
    """Return a number, truth or text as TOML writes it."""
    return json.dumps(value)
