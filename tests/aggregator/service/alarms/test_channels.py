"""A real mail server and a real web server take messages, or what they say is one line."""

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from aggregator.service.alarms.channels import Email, Webhook, channels_of
from aggregator.service.alarms.command import alarm
from aggregator.service.alarms.errors import ChannelUnavailableError
from aggregator.service.alarms.message import Alarm, Message
from aggregator.service.alarms.teller import Teller
from aggregator.service.settings import ServiceSettings
from devices.errors import DeviceConfigError


@pytest.fixture
def secret(secret_file):
    return secret_file.read_text().strip()


def test_a_webhook_is_signed_with_its_time(quick_fleet, hook, secret):
    quick_fleet.homes(1)
    settings = hook.settings()
    quick_fleet.begin("silent", [1])
    Teller(quick_fleet.store, channels_of(settings), settings, print).turn(
        now_ms=quick_fleet.now_ms, now_s=0.0
    )

    ((signed, body),) = hook.heard
    at_s = quick_fleet.now_ms // 1000
    expected = hmac.new(secret.encode(), str(at_s).encode() + b"." + body, hashlib.sha256)
    assert signed == f"t={at_s},v1={expected.hexdigest()}"
    assert secret.encode() not in body


@pytest.fixture
def tried(tmp_path):
    """Return what runs ``alarm test`` with a table of settings: exit code, output, error."""

    def run(**table):
        given = {
            key: str(value) if isinstance(value, Path) else value for key, value in table.items()
        }
        settings = ServiceSettings(folder=tmp_path, tables={"alarms": given})
        done = CliRunner().invoke(alarm, ["test", "--json"], obj=settings)
        return done.exit_code, done.output and json.loads(done.output), str(done.exception)

    return run


def test_a_try_tells_each_channel_that_nothing_is_wrong_and_which_took_it(hook, post, tried):
    table = post.table() | hook.table()
    code, said, _ = tried(**table)
    assert (code, said["channels"]) == (0, {"e-mail": "taken", "webhook": "taken"})
    assert post.letters[0][1]["Subject"] == "Gridpact: test at the fleet"
    (kind,) = json.loads(hook.heard[0][1])["kinds"]
    line = "somebody tries whether alarms arrive; nothing is wrong"
    assert [(kind["kind"], each["number"], each["line"]) for each in kind["alarms"]] == [
        ("test", 0, line)
    ]

    hook.status = 500
    code, said, error = tried(**table)
    assert (code, said["channels"]["e-mail"], error) == (1, "taken", said["channels"]["webhook"])
    assert error == "webhook: HTTP 500; see to the server or [alarms] webhook_url"
    assert tried() == (
        1, "", "[alarms] names neither email_host nor webhook_url; give one, or watch the page"
    )  # fmt: skip


def test_files_that_cannot_be_used_are_refused_at_the_start_in_one_line(
    hook, post, secret_file, secret, tmp_path
):
    wide, foreign, absent = (tmp_path / name for name in ("wide", "foreign", "absent"))
    for path in (wide, foreign):
        path.write_text("pässword\n")
        path.chmod(0o600)
    wide.chmod(0o644)
    said = []
    for settings in (
        hook.settings(webhook_secret_file=wide),
        hook.settings(webhook_secret_file=absent),
        hook.settings(webhook_ca_file=absent),
        hook.settings(webhook_ca_file=secret_file),
        post.settings(email_password_file=wide),
        post.settings(email_password_file=foreign),
        post.settings(email_ca_file=absent),
    ):
        with pytest.raises(DeviceConfigError) as caught:
            channels_of(settings)
        said.append(str(caught.value))

    words = ["chmod 600", "cannot be read", "No such file", "no certificate", "chmod 600",
             "a character that e-mail servers do not take", "No such file"]  # fmt: skip
    assert [word for word, line in zip(words, said, strict=True) if word not in line] == []
    assert not [line for line in said if "pässword" in line or secret in line or "\n" in line]


def message():
    alarm = Alarm(number=1, kind="silent", severity="warning", home="home-1", line="quiet",
                  state="raised", raised_ms=0)  # fmt: skip
    return Message([alarm])


def test_whoever_does_not_take_a_message_is_named_in_one_line_without_a_secret(
    hook, post, secret_file, secret, tmp_path
):
    wrong = tmp_path / "wrong"
    wrong.write_text("guessed\n")
    wrong.chmod(0o600)
    foreign, absent = tmp_path / "foreign", tmp_path / "absent"
    foreign.write_text("guessed-ü\n")
    foreign.chmod(0o600)
    https = hook.url.replace("http://", "https://")
    post.full = True
    hook.status = 302
    tries = [
        Email(post.settings()),
        Email(post.settings(email_password_file=wrong)),
        Email(post.settings(email_ca_file=None)),
        Email(post.settings(email_port=1)),
        Webhook(hook.settings()),
        Webhook(hook.settings(webhook_url="http://127.0.0.1:1/")),
        # what broke after the start
        Email(post.settings(email_password_file=foreign)),
        Email(post.settings(email_host="a" * 64 + ".invalid")),
        Webhook(hook.settings(webhook_url=https, webhook_ca_file=absent)),
        Webhook(hook.settings(webhook_url=https)),
    ]
    said = []
    for each in tries:
        with pytest.raises(ChannelUnavailableError) as caught:
            each.send(message(), 0)
        said.append(str(caught.value))

    words = ["452", "535", "CERTIFICATE_VERIFY_FAILED", "refused", "HTTP 302", "ConnectionError",
             "cannot be sent", "cannot be sent", "OSError", "TLS fails"]  # fmt: skip
    assert [word for word, line in zip(words, said, strict=True) if word not in line] == []
    assert not [line for line in said if secret in line or "guessed" in line or "\n" in line]
    assert not [line for line in said if "webhook" in line and hook.url.split(":")[-1] in line]
    assert len(hook.heard) == 1
