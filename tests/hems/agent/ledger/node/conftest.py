"""A node behind a line that breaks as a test wants it, and a gateway that reports over it."""

import asyncio
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from contracts.client import Ledger, Terms, connect, deploy
from contracts.connection.chain_web3 import rpc_chain
from contracts.keystore import new_keystore
from contracts.local.anvil import anvil_node
from contracts.promise import Member
from devices.battery import BatteryState, MeterState
from devices.clock import SystemClock
from hems.agent.health import Health
from hems.agent.ledger.books import Books
from hems.agent.ledger.settings import LedgerSettings
from hems.agent.reading import Reading
from hems.agent.store import Store

PASSPHRASE = "correct horse battery"
STEP_S = 1800


class Wire:
    """A TCP line to the node that passes, hangs, refuses, or cuts what follows a word."""

    def __init__(self, url):
        host, port = url.removeprefix("http://").split(":")
        self.node = (host, int(port))
        self.mode, self.word = "pass", b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.mode == "refuse":
                    client.close()
                    continue
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with suppress(OSError), client, socket.create_connection(self.node) as node:
            for each in (client, node):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            cut = threading.Event()
            back = threading.Thread(target=self._back, args=(node, client, cut), daemon=True)
            back.start()
            while data := client.recv(65536):
                if self.mode == "refuse":
                    return
                if self.mode == "nonsense":
                    body = b'{"jsonrpc": "2.0", "id": 1, "result": "0xzz"}'
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
                    client.sendall(body)
                    return
                if self.mode == "hang":
                    while client.recv(65536):  # until the client has had enough
                        pass
                    return
                if self.word and self.word in data:
                    cut.set()
                node.sendall(data)

    def _back(self, node, client, cut):
        with suppress(OSError):
            while data := node.recv(65536):
                if cut.is_set():
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(data)

    def close(self):
        self.listener.close()


@dataclass
class Gateway:
    """A member of a fleet on a node of this computer, with a key of its own in a file."""

    node: str
    wire: Wire
    folder: Path
    ledger: Ledger
    settings: LedgerSettings
    lines: list[str] = field(default_factory=list)
    export_wh: float = 10_000.0
    books: Books = None
    passphrase: str = PASSPHRASE

    def open(self, **given):
        self.books = Books(
            self.settings,
            store=Store(self.folder / "state.sqlite"),
            health=Health(self.lines.append),
            clock=SystemClock(),
            **given,
        )

    def export(self, energy_wh):
        """Let energy flow and the gateway read its devices."""
        self.export_wh += energy_wh
        meter = MeterState(
            load_w=0, pv_w=0, grid_power_w=0, import_wh=5000.0, export_wh=self.export_wh
        )
        self.books.add(
            Reading(
                utc=datetime.now(UTC),
                monotonic_s=time.monotonic(),
                meter=meter,
                battery=BatteryState(soc=0.5, battery_power_w=0.0, following=True),
            )
        )

    def report(self):
        asyncio.run(self.books.report())

    def settle(self):
        """Report until nothing is due any more."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            self.report()
            if abs(self.books.standing(datetime.now(UTC)).unreported_wh) < 1:
                return
            time.sleep(0.05)
        raise AssertionError(self.lines)

    def counted(self):
        now = int(time.time()) // STEP_S
        account = self.settings.account
        return sum(self.ledger.fleet.export_wh(account, each) for each in range(now - 2, now + 1))

    def rpc(self, method, *params):
        provider = HTTPProvider(self.node, exception_retry_configuration=None)
        answer = Web3(provider).provider.make_request(method, list(params))
        assert "error" not in answer, answer
        return answer["result"]


@pytest.fixture(scope="module")
def node(needs_anvil):
    with anvil_node() as url:
        yield url


@pytest.fixture
def gateway(node, tmp_path):
    chain = rpc_chain(node)
    owner, market = chain.unlocked()[:2]
    deployment = deploy(chain, owner=owner, market=market, terms=Terms(interval_s=STEP_S))
    deployment.save(tmp_path / "fleet.json")
    keystore = new_keystore(tmp_path / "keys", PASSPHRASE, created=datetime.now(UTC), light=True)
    secret = tmp_path / "passphrase"
    secret.touch(mode=0o600)
    secret.write_text(PASSPHRASE)
    ledger = connect(chain, deployment)
    # a connection that carries anything: a test has no time for ordinary energy
    member = Member(account=keystore.address, capacity_wh=10_000, grid_power_w=2**32 - 1)
    ledger.fleet.enrol([member])
    chain.give(owner, [keystore.address], 10**18)
    wire = Wire(node)
    settings = LedgerSettings(
        url=wire.url,
        deployment_file=tmp_path / "fleet.json",
        account=keystore.address.lower(),
        keys=tmp_path / "keys",
        passphrase_file=secret,
        answer_timeout_s=5.0,
        block_timeout_s=5.0,
        schedule_ahead_h=1,
        meter_max_w=1e12,
    )
    it = Gateway(
        node=node,
        wire=wire,
        folder=tmp_path,
        ledger=ledger,
        settings=replace(settings, account=keystore.address),
    )
    yield it
    it.rpc("evm_setAutomine", True)
    wire.close()
