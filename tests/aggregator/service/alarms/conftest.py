"""A fleet in the store whose figures a test sets, and servers that take messages."""

import email
import email.policy
import json
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.util import find_spec

import pytest
from sqlalchemy import delete, insert, select

from aggregator.service.alarms.book import Beginning, write_beginning, write_end
from aggregator.service.alarms.channels import SIGNATURE
from aggregator.service.alarms.rules import rules_of
from aggregator.service.alarms.settings import AlarmSettings
from aggregator.service.store.store import Store
from aggregator.service.store.tables import alarms, devices, homes, homes_now, telemetry
from contracts.local.local_node import free_port
from devices.adapter.certificates import files_in, make_certificates

SECRET = "not-a-real-secret"
NOW_MS = 1_780_315_260_000
WARMTH = 99
"""A channel of temperatures."""


@dataclass
class Fleet:
    """Homes and what is known of them."""

    store: Store
    now_ms: int = NOW_MS

    def homes(self, count):
        with self.store.write() as connection:
            rows = [{"id": f"home-{n + 1}", "created_ms": NOW_MS} for n in range(count)]
            connection.execute(insert(homes), rows)

    def battery(self, number, **values):
        with self.store.write() as connection:
            given = {"home_number": number, "id": "storage", "kind": "battery"} | values
            connection.execute(insert(devices).values(given))

    def told(self, *numbers, temperature_c=None, age_ms=0, **values):
        """Have homes tell something now that was measured a while ago."""
        end_ms = self.now_ms - age_ms
        with self.store.write() as connection:
            connection.execute(delete(homes_now).where(homes_now.c.home_number.in_(numbers)))
            rows = [
                {"home_number": number, "heard_ms": self.now_ms, "end_ms": end_ms} | values
                for number in numbers
            ]
            connection.execute(insert(homes_now), rows)
            if temperature_c is not None:
                figures = dict.fromkeys(("low", "high", "mean", "last"), temperature_c)
                of = {"end_ms": end_ms, "channel_number": WARMTH, "period_ms": 60_000}
                rows = [{"home_number": number} | of | figures for number in numbers]
                connection.execute(insert(telemetry), rows)

    def begin(self, kind, numbers, value=60.0):
        """Write that alarms of a kind begin now."""
        (rule,) = (each for each in rules_of(AlarmSettings()) if each.kind == kind)
        begins = Beginning(rule=rule, homes=numbers, values=[value] * len(numbers))
        with self.store.write() as connection:
            write_beginning(connection, begins, self.now_ms)

    def end(self, kind, numbers):
        """Write that alarms of a kind are over now."""
        with self.store.write() as connection:
            write_end(connection, kind, numbers, self.now_ms)

    def told_ms(self):
        """Return when each alarm was told."""
        return [at_ms for (at_ms,) in self.alarms("told_ms")]

    def alarms(self, *columns):
        with self.store.read() as connection:
            names = columns or ("kind", "home_number", "state")
            asked = select(*(alarms.c[each] for each in names)).order_by(alarms.c.number)
            return [tuple(row) for row in connection.execute(asked)]


@pytest.fixture(scope="session")
def fleet_in():
    """Return what makes a fleet over a store."""
    return Fleet


@pytest.fixture
def fleet(store):
    """Return a fleet in each database in its turn."""
    return Fleet(store)


@pytest.fixture
def quick_fleet(sqlite_store):
    """Return a fleet in SQLite."""
    return Fleet(sqlite_store)


@pytest.fixture
def settings():
    """Return settings without any wait."""
    return AlarmSettings(soc_held_s=0.0, meter_held_s=0.0, gather_s=0.0)


@pytest.fixture
def secret_file(tmp_path):
    """Return a file with what both sides know."""
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    return path


class Post:
    """A mail server that lets in who knows the password, over TLS alone."""

    def __init__(self, certificates, secret_file):
        self._certificates, self._secret_file = certificates, secret_file
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
        controller, smtp = (import_module(f"aiosmtpd.{name}") for name in ("controller", "smtp"))
        self.letters, self.full = [], False

        def lets_in(server, session, envelope, mechanism, given):
            del server, session, envelope, mechanism
            known = (given.login, given.password) == (b"gridpact", SECRET.encode())
            return smtp.AuthResult(success=known, handled=False)

        self.port = free_port()
        self._controller = controller.Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            server_hostname="127.0.0.1",
            ready_timeout=30.0,
            tls_context=context,
            authenticator=lets_in,
            auth_required=True,
            require_starttls=True,
        )
        self._controller.start()

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 -- aiosmtpd's name
        del server, session
        if self.full:
            return "452 no room"
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.letters.append((envelope.rcpt_tos, letter))
        return "250 taken"

    def table(self):
        """Return the settings that lead here."""
        return {
            "email_host": "127.0.0.1",
            "email_port": self.port,
            "email_ca_file": self._certificates.ca,
            "email_user": "gridpact",
            "email_password_file": self._secret_file,
            "email_from": "gridpact@example.org",
            "email_to": "day@example.org, night@example.org",
            "gather_s": 0.0,
        }

    def settings(self, **more):
        return AlarmSettings(**self.table() | more)

    def close(self):
        self._controller.stop()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Return a mail server's certificate and its authority."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder, hosts=("127.0.0.1",), now=datetime.now(UTC) - timedelta(hours=1))
    return files_in(folder)


@pytest.fixture(scope="module")
def aiosmtpd(left_out):
    """Leave the test out where there is no mail server to start."""
    if find_spec("aiosmtpd") is None:
        left_out("aiosmtpd is needed: pip install aiosmtpd")


@pytest.fixture
def post(aiosmtpd, certificates, secret_file):
    """Return a mail server."""
    server = Post(certificates, secret_file)
    yield server
    server.close()


class Hook:
    """A web server that keeps what is posted and answers as it is told."""

    def __init__(self, secret_file):
        self.heard, self.status, self._secret_file = [], 204, secret_file
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.heard.append((self.headers[SIGNATURE], body))
                self.send_response(hook.status)
                if hook.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/alarms"

    def table(self):
        """Return the settings that lead here."""
        secret = {"webhook_secret_file": self._secret_file}
        return {"webhook_url": self.url, "gather_s": 0.0} | secret

    def settings(self, **more):
        return AlarmSettings(**self.table() | more)

    def events(self):
        """Return what each message told: event, home and state."""
        return [
            [
                (group["event"], alarm["home"], alarm["state"])
                for group in json.loads(body)["kinds"]
                for alarm in group["alarms"]
            ]
            for _, body in self.heard
        ]

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def hook(monkeypatch, secret_file):
    """Return a web server."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Hook(secret_file)
    yield server
    server.close()
