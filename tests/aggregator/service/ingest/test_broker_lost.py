"""A broker that is not there, is not who we think, or does not let us in: told once, and why."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.service.broker import BuiltInBroker
from aggregator.service.credentials import SERVICE, BrokerUsers
from aggregator.service.ingest.subscriber import Subscriber
from aggregator.service.settings import BrokerSettings
from contracts.local.local_node import free_port
from devices.adapter.certificates import files_in, make_certificates

LONG_S = 60.0


@pytest.fixture
def loop():
    """Return a loop that runs in a thread."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join(LONG_S)
    made.close()


@pytest.fixture
def certificates(tmp_path):
    """Return what makes an authority of a name and a certificate of it."""

    def make(name):
        now = datetime.now(UTC) - timedelta(minutes=5)
        make_certificates(tmp_path / name, hosts=("127.0.0.1",), now=now)
        return files_in(tmp_path / name)

    return make


def test_why_the_broker_is_lost_is_told_once_until_it_is_back(
    loop, certificates, tmp_path, waits_until
):
    ours, others = certificates("ours"), certificates("others")
    users, password = BrokerUsers(tmp_path / "users"), tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("right\n")
    port = free_port()
    where = f"broker lost: 127.0.0.1:{port}"
    lines, told = [], {}

    def listen(name, authority):
        told[name] = []
        settings = BrokerSettings(
            host="127.0.0.1", port=port, ca_file=authority.ca, user=SERVICE, protocol="3.1.1",
            password_file=password,
        )  # fmt: skip
        made = Subscriber(settings, client_id=name, most=10, tell=told[name].append)
        lines.append(made)
        made.start()
        return made

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(LONG_S)

    try:
        hears = listen("hears", ours)
        waits_until(lambda: told["hears"], "nothing told")
        settings = BrokerSettings(port=port)
        broker = BuiltInBroker(settings, users=tmp_path / "users", tls=ours)
        run(broker.start())
        mistaken, early = listen("mistaken", others), listen("early", ours)
        waits_until(lambda: told["mistaken"] and told["early"], told)
        users.add(SERVICE, "right")
        waits_until(lambda: hears.connected and early.connected, told)
    finally:
        for each in lines:
            each.stop()
    run(broker.stop())

    (refused,) = told.pop("mistaken")
    assert refused.startswith(f"{where} does not answer ([SSL: CERTIFICATE_VERIFY_FAILED]")
    assert refused.endswith("; name its authority in ca_file")
    assert not mistaken.connected
    assert told == {
        "hears": [
            f"{where} does not answer ([Errno 111] Connection refused); "
            "check that it runs, and host and port",
            "broker back",
        ],
        "early": [
            f"{where} does not let us in (Not authorized); mend user, password or access list",
            "broker back",
        ],
    }
