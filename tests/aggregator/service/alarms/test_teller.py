"""Alarms reach a real mail server and a real web server: gathered, signed, again until taken."""

import email
import email.policy
import hashlib
import hmac
import json
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.util import find_spec

import pytest
from sqlalchemy import update

from aggregator.service.alarms.book import Beginning, write_beginning, write_end
from aggregator.service.alarms.channels import SIGNATURE, Email, Webhook, channels_of
from aggregator.service.alarms.errors import ChannelUnavailableError
from aggregator.service.alarms.message import Alarm, Message
from aggregator.service.alarms.rules import rules_of
from aggregator.service.alarms.settings import AlarmSettings
from aggregator.service.alarms.teller import Teller
from aggregator.service.store.tables import alarms
from contracts.local.local_node import free_port
from devices.adapter.certificates import files_in, make_certificates
from devices.errors import DeviceConfigError

SECRET = "not-a-real-secret"
MINUTE_MS = 60_000


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    return path


class Post:
    """A mail server that lets in who knows the password, over TLS alone; or without either."""

    def __init__(self, context):
        controller, smtp = (import_module(f"aiosmtpd.{name}") for name in ("controller", "smtp"))
        self.letters, self.full = [], False

        def lets_in(server, session, envelope, mechanism, given):
            del server, session, envelope, mechanism
            known = (given.login, given.password) == (b"gridpact", SECRET.encode())
            return smtp.AuthResult(success=known, handled=False)

        locked = {"authenticator": lets_in, "auth_required": True, "require_starttls": True}
        self.port = free_port()
        self._controller = controller.Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            server_hostname="127.0.0.1",
            ready_timeout=30.0,
            **({"tls_context": context} | locked if context else {}),
        )
        self._controller.start()

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 -- aiosmtpd's name
        del server, session
        if self.full:
            return "452 no room"
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.letters.append((envelope.rcpt_tos, letter))
        return "250 taken"

    def close(self):
        self._controller.stop()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder, hosts=("127.0.0.1",), now=datetime.now(UTC) - timedelta(hours=1))
    return files_in(folder)


@pytest.fixture(scope="module")
def aiosmtpd(left_out):
    if find_spec("aiosmtpd") is None:
        left_out("aiosmtpd is needed: pip install aiosmtpd")


@pytest.fixture
def post(aiosmtpd, certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    server = Post(context)
    yield server
    server.close()


class Hook:
    """A web server that keeps what is posted and answers as it is told."""

    def __init__(self):
        self.heard, self.status = [], 204
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

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def hook(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Hook()
    yield server
    server.close()


def mail_settings(post, certificates, secret_file, **more):
    given = {
        "email_host": "127.0.0.1",
        "email_port": post.port,
        "email_ca_file": certificates.ca,
        "email_user": "gridpact",
        "email_password_file": secret_file,
        "email_from": "gridpact@example.org",
        "email_to": "day@example.org, night@example.org",
        "gather_s": 0.0,
    }
    return AlarmSettings(**given | more)


def hook_settings(hook, secret_file, **more):
    given = {"webhook_url": hook.url, "webhook_secret_file": secret_file, "gather_s": 0.0}
    return AlarmSettings(**given | more)


def begin(fleet, kind, numbers, value=60.0):
    (rule,) = (each for each in rules_of(AlarmSettings()) if each.kind == kind)
    begins = Beginning(rule=rule, homes=numbers, values=[value] * len(numbers))
    with fleet.store.write() as connection:
        write_beginning(connection, begins, fleet.now_ms)


def told(fleet):
    return [at_ms for (at_ms,) in fleet.alarms("told_ms")]


def test_an_alarm_is_a_letter_over_starttls_with_a_password(
    quick_fleet, post, certificates, secret_file
):
    quick_fleet.homes(1)
    settings = mail_settings(post, certificates, secret_file)
    teller = Teller(quick_fleet.store, channels_of(settings), settings, print)
    begin(quick_fleet, "temperature", [1])

    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=0.0) == 1
    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=1e6) == 0
    ((recipients, letter),) = post.letters
    assert recipients == ["day@example.org", "night@example.org"]
    assert letter["Subject"] == "Gridpact: temperature at home-1"
    assert letter.get_content().replace("\r\n", "\n") == (
        "temperature: 1\n"
        "  2026-06-01 12:01:00 UTC home-1: the battery has 60.0 °C, more than 50 °C\n"
    )
    assert told(quick_fleet) == [quick_fleet.now_ms]


def test_ten_thousand_alarms_are_one_message_and_the_next_one_waits(quick_fleet, hook, secret_file):
    quick_fleet.homes(10_000)
    settings = hook_settings(hook, secret_file, pause_s=60.0)
    teller = Teller(quick_fleet.store, channels_of(settings), settings, print)
    begin(quick_fleet, "silent", list(range(1, 10_001)))
    begin(quick_fleet, "ledger", [0])
    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=100.0) == 1
    begin(quick_fleet, "soc", [1])
    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=159.0) == 0
    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=160.0) == 1

    bodies = [json.loads(body) for _, body in hook.heard]
    assert [each["count"] for each in bodies] == [10_001, 1]
    assert [(each["kind"], each["count"], len(each["alarms"])) for each in bodies[0]["kinds"]] == [
        ("ledger", 1, 1),
        ("silent", 10_000, 10),
    ]
    assert bodies[1]["kinds"][0]["alarms"] == [
        {
            "number": 10_002,
            "home": "home-1",
            "severity": "warning",
            "state": "raised",
            "line": "the state of charge is 6000.0% outside of its window",
            "raised_ms": quick_fleet.now_ms,
        }
    ]
    assert None not in told(quick_fleet)


def test_a_webhook_is_signed_with_its_time(quick_fleet, hook, secret_file):
    quick_fleet.homes(1)
    settings = hook_settings(hook, secret_file)
    begin(quick_fleet, "silent", [1])
    Teller(quick_fleet.store, channels_of(settings), settings, print).turn(
        now_ms=quick_fleet.now_ms, now_s=0.0
    )

    ((signed, body),) = hook.heard
    at_s = quick_fleet.now_ms // 1000
    expected = hmac.new(SECRET.encode(), str(at_s).encode() + b"." + body, hashlib.sha256)
    assert signed == f"t={at_s},v1={expected.hexdigest()}"
    assert SECRET.encode() not in body


def test_one_channel_that_fails_is_tried_again_and_the_other_is_told_once(
    quick_fleet, hook, post, certificates, secret_file
):
    quick_fleet.homes(2)
    lines = []
    settings = mail_settings(
        post,
        certificates,
        secret_file,
        webhook_url=hook.url,
        webhook_secret_file=secret_file,
        pause_s=1.0,
    )
    teller = Teller(quick_fleet.store, channels_of(settings), settings, lines.append)
    begin(quick_fleet, "silent", [1])
    hook.status = 500
    turns = [teller.turn(now_ms=quick_fleet.now_ms, now_s=now_s) for now_s in (0, 1.9, 2, 5.9)]
    assert turns == [1, 0, 0, 0]
    assert (len(hook.heard), len(post.letters), told(quick_fleet)) == (2, 1, [None])
    begin(quick_fleet, "silent", [2])
    with quick_fleet.store.write() as connection:
        write_end(connection, "silent", [1], quick_fleet.now_ms)
    hook.status = 204
    assert teller.turn(now_ms=quick_fleet.now_ms, now_s=6.0) == 2

    last = json.loads(hook.heard[-1][1])["kinds"][0]["alarms"]
    assert [(each["home"], each["state"]) for each in last] == [
        ("home-1", "resolved"),
        ("home-2", "raised"),
    ]
    assert len(post.letters) == 2
    assert None not in told(quick_fleet)
    assert lines == [
        "alarms not told: webhook: HTTP 500; see to the server or [alarms] webhook_url",
        "alarms are told again: webhook",
    ]


def test_alarms_wait_a_moment_for_others_and_old_ones_are_no_news(quick_fleet, hook, secret_file):
    quick_fleet.homes(2)
    settings = hook_settings(hook, secret_file, gather_s=5.0)
    teller = Teller(quick_fleet.store, channels_of(settings), settings, print)
    begin(quick_fleet, "silent", [2])
    with quick_fleet.store.write() as connection:
        old_ms = quick_fleet.now_ms - 25 * 60 * MINUTE_MS
        connection.execute(update(alarms).values(raised_ms=old_ms))
    begin(quick_fleet, "silent", [1])
    assert teller.turn(now_ms=quick_fleet.now_ms + 4_999, now_s=0.0) == 0
    assert teller.turn(now_ms=quick_fleet.now_ms + 5_000, now_s=0.0) == 1

    assert json.loads(hook.heard[0][1])["count"] == 1


def test_a_secret_that_others_may_read_is_refused_at_the_start(hook, secret_file):
    secret_file.chmod(0o644)
    with pytest.raises(DeviceConfigError, match="can be read by others"):
        channels_of(hook_settings(hook, secret_file))


def message():
    alarm = Alarm(number=1, kind="silent", severity="warning", home="home-1", line="quiet",
                  state="raised", raised_ms=0)  # fmt: skip
    return Message([alarm])


def test_whoever_does_not_take_a_message_is_named_in_one_line_without_a_secret(
    hook, post, certificates, secret_file, tmp_path
):
    wrong = tmp_path / "wrong"
    wrong.write_text("guessed\n")
    wrong.chmod(0o600)
    post.full = True
    hook.status = 302
    tries = [
        Email(mail_settings(post, certificates, secret_file)),
        Email(mail_settings(post, certificates, wrong)),
        Email(mail_settings(post, certificates, secret_file, email_ca_file=None)),
        Email(mail_settings(post, certificates, secret_file, email_port=1)),
        Webhook(hook_settings(hook, secret_file)),
        Webhook(hook_settings(hook, secret_file, webhook_url="http://127.0.0.1:1/")),
    ]
    said = []
    for each in tries:
        with pytest.raises(ChannelUnavailableError) as caught:
            each.send(message(), 0)
        said.append(str(caught.value))

    words = ["452", "535", "CERTIFICATE_VERIFY_FAILED", "refused", "HTTP 302", "ConnectionError"]
    assert [word for word, line in zip(words, said, strict=True) if word not in line] == []
    assert not [line for line in said if SECRET in line or "guessed" in line or "\n" in line]
    assert len(hook.heard) == 1


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"email_host": "mail.example.org"}, "email_from and email_to"),
        ({"email_tls": "none"}, "email_tls is none"),
        ({"email_tls": "ssl"}, "email_tls is 'ssl'"),
        ({"email_user": "gridpact"}, "go together"),
        ({"webhook_url": "http://example.org/"}, "does not begin with https://"),
        ({"webhook_url": "https://example.org/"}, "without webhook_secret_file"),
        ({"temperature_clear_c": 60.0}, "temperature_clear_c is 60, above temperature_most_c, 50"),
        ({"missed_share": 2.0}, "missed_share is 2; give 0..1"),
        ({"each_s": 0.0}, "each_s is 0; give 1..600"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_line(table, words):
    letters = {"email_host": "mail.example.org", "email_from": "a@b.org", "email_to": "c@d.org"}
    given = table if "email_host" in table or "email_tls" not in table else letters | table
    given = letters | table if "email_user" in table else given
    with pytest.raises(ValueError, match=words):
        AlarmSettings(**given)
