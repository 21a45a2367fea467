"""A node behind connections that break where a test wants it, and a home that reports over them."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR
from threading import Event, Thread
from zlib import crc32

import pytest
from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, Web3

from contracts.artifact import load
from contracts.chain import Call, Receipt
from contracts.client import connect, deploy
from contracts.connection.chain_web3 import Web3Chain, rpc_chain
from contracts.connection.events import Event as LedgerEvent
from contracts.connection.events import EventFeed
from contracts.connection.patience import Patience
from contracts.deployment import Deployment
from contracts.errors import LedgerError
from contracts.fleet_client import REPORT
from contracts.local.anvil import anvil_node
from contracts.local.embedded import development_accounts
from contracts.promise import Member

QUICK = Patience(receipt_timeout_s=10, raise_after_s=0.3)
"""A fee is raised, or the same bytes sent again, before a test gets long."""


class Proxy:
    """Stand between a client and a node, and break the connection where ``plan`` says.

    ``plan`` holds for each method what is to happen to its next requests; then they pass:
    "cut before" the node has the request, "cut after" it answered, "half" of the answer,
    "hold" the request until the client is gone, a status such as 429, a text to answer instead, or
    a function of the request that returns an answer, or None to let it pass.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream.removeprefix("http://")
        self.plan = defaultdict(list)
        self.always = None
        self.seen = []
        self.held = Event()
        self.open = set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def kill(self) -> None:
        """End as a process does that is killed: nobody listens, and what was open is cut."""
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)

    def sent(self) -> list[str]:
        """Return the signed bytes that clients sent, in order."""
        return [params[0] for name, params in self.seen if name == "eth_sendRawTransaction"]

    def action(self, request: dict | list) -> object:
        if isinstance(request, list):  # many questions at once
            request = {"method": "batch", "params": [len(request)]}
        self.seen.append((request["method"], request.get("params", [])))
        if self.always is not None:
            return self.always
        queue = self.plan[request["method"]]
        return queue.pop(0) if queue else "pass"


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:  # noqa: C901 -- a class
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def setup(self):
            proxy.open.add(self.request)
            super().setup()

        def finish(self):
            proxy.open.discard(self.request)
            with suppress(OSError):
                super().finish()

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = json.loads(body)
            action = proxy.action(request)
            if callable(action):
                answer = action(request)
                action = "pass" if answer is None else json.dumps({"id": request["id"], **answer})
            if action in {"pass", "cut after", "half"}:
                self.forward(body, action)
            elif action == "cut before":
                self.cut()
            elif action == "hold":
                proxy.held.set()
                self.connection.recv(1)
                self.cut()
            elif isinstance(action, int):
                self.answer(b"", status=action)
            else:
                self.answer(action.encode())

        def forward(self, body, action):
            node = HTTPConnection(proxy.upstream, timeout=20)
            try:
                node.request("POST", "/", body, {"Content-Type": "application/json"})
                answer = node.getresponse().read()
            finally:
                node.close()
            if action == "cut after":
                self.cut()
            else:
                self.answer(answer, shown=len(answer) // 2 if action == "half" else None)

        def answer(self, body, *, status=200, shown=None):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:shown])
            if shown is not None:
                self.close_connection = True

        def cut(self):
            self.close_connection = True

        def log_message(self, *_):
            """Say nothing."""

    return Handler


@contextmanager
def running(upstream: str) -> Iterator[Proxy]:
    proxy = Proxy(upstream)
    thread = Thread(target=proxy.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.server.shutdown()
        thread.join(10)
        proxy.server.server_close()


@dataclass(kw_only=True)
class Home:
    """A home, its fleet and the node that holds it."""

    node: str
    account: LocalAccount
    deployment: Deployment
    seed: int
    since: int

    @property
    def ask(self) -> Web3:
        """Return the node itself, to look behind the scenes."""
        return Web3(HTTPProvider(self.node, exception_retry_configuration=None))

    def rpc(self, method: str, *params: object) -> object:
        answer = self.ask.provider.make_request(method, list(params))
        assert "error" not in answer, answer
        return answer["result"]

    def chain(
        self, url: object = None, *, journal: Path | None = None, patience: Patience = QUICK
    ) -> Web3Chain:
        return rpc_chain(
            url or self.node, signers=[self.account], journal=journal, patience=patience
        )

    def report(self, net_export_wh: int) -> Call:
        """Return a report for the running interval."""
        interval = self.ask.eth.get_block("latest")["timestamp"] // self.deployment.interval_s
        return Call(
            sender=self.account.address,
            to=self.deployment.fleet,
            data=REPORT.encode(interval, net_export_wh, 5000),
        )

    def send(self, chain: Web3Chain, net_export_wh: int = 1) -> Receipt | LedgerError:
        return chain.send_all([self.report(net_export_wh)])[0]

    def reported(self) -> list[int]:
        """Return the energies that the chain has of the home. [Wh]"""
        feed = EventFeed(
            rpc_chain(self.node),
            address=self.deployment.fleet,
            artifact=load("Fleet"),
            start=self.since,
        )
        return [each.values["netExportWh"] for each in feed.poll() if is_report_of(each, self)]

    def nonce(self) -> int:
        return self.ask.eth.get_transaction_count(self.account.address)


def is_report_of(event: LedgerEvent, home: Home) -> bool:
    return event.name == "Reported" and event.values["member"] == home.account.address


@pytest.fixture(scope="session")
def node(needs_anvil):
    """Return the URL of an Anvil node that mines by itself."""
    with anvil_node() as url:
        yield url


@pytest.fixture
def proxy(node):
    """Return what stands before the node."""
    with running(node) as it:
        yield it


@pytest.fixture(scope="session")
def proxy_to():
    """Return what puts a proxy before any node."""
    return running


@pytest.fixture
def home(node, request):
    """Return a home of a fleet of its own, with coins."""
    seed = crc32(request.node.name.encode())
    (account,) = development_accounts(seed=seed, count=1)
    chain = rpc_chain(node)
    owner, market = chain.unlocked()[:2]
    chain.give(owner, [account.address], 10**18)
    deployment = deploy(chain, owner=owner, market=market)
    member = Member(account=account.address, capacity_wh=10_000, grid_power_w=12_000)
    connect(chain, deployment).fleet.enrol([member])
    it = Home(
        node=node,
        account=account,
        deployment=deployment,
        seed=seed,
        since=Web3(HTTPProvider(node)).eth.block_number,
    )
    yield it
    it.rpc("evm_setAutomine", True)
