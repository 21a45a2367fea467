"""Ways to tell people and programs: e-mail and a signed webhook."""

import hashlib
import hmac
import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Final, Protocol

import requests
from msgspec import json

from aggregator.service.alarms.errors import ChannelUnavailableError
from aggregator.service.alarms.message import Message
from aggregator.service.alarms.settings import AlarmSettings
from devices.errors import DeviceConfigError
from devices.mqtt_client import client_context
from devices.settings import read_secret

TIMEOUT_S: Final = 10.0
"""How long a server may take to answer. [s]"""
SIGNATURE: Final = "Gridpact-Signature"
"""Header of a webhook: ``t=SECONDS,v1=HMAC-SHA256`` of ``SECONDS.BODY``, in hexadecimal figures."""
_REMEDY: Final = "name those of [alarms]"


class Channel(Protocol):
    """Takes messages."""

    name: str
    """What the log calls it."""

    def send(self, message: Message, now_ms: int) -> None:
        """Hand a message over, or raise `ChannelUnavailableError`.

        Parameters
        ----------
        message : Message
            The message.
        now_ms : int
            The present. [ms]
        """


@dataclass(slots=True)
class Email:
    """E-mail through a server that takes it for us."""

    settings: AlarmSettings
    """Which, and whom it is for."""
    name: str = "e-mail"
    """See `Channel`."""

    def send(self, message: Message, now_ms: int) -> None:
        """See `Channel`."""
        settings = self.settings
        letter = EmailMessage()
        letter["Subject"] = message.subject
        letter["From"] = settings.email_from
        letter["To"] = ", ".join(settings.recipients)
        letter["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
        letter["Message-ID"] = f"<{message.id}@gridpact>"
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: who is on holiday does not answer
        letter.set_content(message.text)
        try:
            with self._server() as server:
                if settings.email_tls == "starttls":
                    server.starttls(context=self._context())
                if settings.email_user is not None and settings.email_password_file is not None:
                    server.login(settings.email_user, read_secret(settings.email_password_file))
                server.send_message(letter)
        except (OSError, ValueError, smtplib.SMTPException) as error:
            where = f"{settings.email_host}:{settings.email_port}"
            msg = f"e-mail by {where}: {_one_line(error)}; see to the server or [alarms]"
            # no cause of what is no answer: its text may hold what was to be sent
            raise ChannelUnavailableError(msg) from (
                None if isinstance(error, UnicodeError) else error
            )

    def _server(self) -> smtplib.SMTP:
        settings = self.settings
        where = (settings.email_host, settings.email_port)
        if settings.email_tls == "tls":
            return smtplib.SMTP_SSL(*where, timeout=TIMEOUT_S, context=self._context())
        return smtplib.SMTP(*where, timeout=TIMEOUT_S)

    def _context(self) -> ssl.SSLContext:
        return client_context(self.settings.email_ca_file, remedy=_REMEDY)


@dataclass(slots=True)
class Webhook:
    """A POST of JSON, signed."""

    settings: AlarmSettings
    """Where to."""
    name: str = "webhook"
    """See `Channel`."""

    def send(self, message: Message, now_ms: int) -> None:
        """See `Channel`."""
        settings = self.settings
        body = json.encode(message.document)
        assert settings.webhook_secret_file is not None  # noqa: S101 -- the settings see to it
        secret = read_secret(settings.webhook_secret_file)
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: signature(body, secret, at_s=now_ms // 1000),
        }
        trusted = settings.webhook_ca_file
        try:
            with requests.post(
                settings.webhook_url,
                data=body,
                headers=headers,
                timeout=TIMEOUT_S,
                allow_redirects=False,  # the signature is for this address
                verify=True if trusted is None else str(trusted),
                stream=True,  # what it answers beside its status is not read
            ) as answer:
                status = answer.status_code
        except (OSError, ValueError) as error:  # all that requests raises is one of them
            msg = f"webhook: {_kind(error)}; see to the server or [alarms] webhook_url"
            raise ChannelUnavailableError(msg) from error
        if not 200 <= status < 300:
            msg = f"webhook: HTTP {status}; see to the server or [alarms] webhook_url"
            raise ChannelUnavailableError(msg)


def signature(body: bytes, secret: str, *, at_s: int) -> str:
    """Return what the header `SIGNATURE` says.

    Parameters
    ----------
    body : bytes
        What is posted.
    secret : str
        What both sides know.
    at_s : int
        Unix time, so that nobody can send an old one again unseen. [s]
    """
    signed = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256)
    return f"t={at_s},v1={signed.hexdigest()}"


def channels_of(settings: AlarmSettings) -> tuple[Channel, ...]:
    """Return the channels that are configured.

    Parameters
    ----------
    settings : AlarmSettings
        The table.

    Raises
    ------
    DeviceConfigError
        If a secret or a certificate cannot be read.
    """
    # it is better to hear of it now than with the first alarm
    if settings.email_password_file is not None:
        _check_password(settings.email_password_file)
    if settings.webhook_secret_file is not None:
        read_secret(settings.webhook_secret_file)
    for path in (settings.email_ca_file, settings.webhook_ca_file):
        if path is not None:
            client_context(path, remedy=_REMEDY)
    found: list[Channel] = []
    if settings.email_host:
        found.append(Email(settings))
    if settings.webhook_url:
        found.append(Webhook(settings))
    return tuple(found)


def _check_password(path: Path) -> None:
    if not read_secret(path).isascii():
        msg = f"secret file {path} has a character that e-mail servers do not take; give ASCII"
        raise DeviceConfigError(msg)


def _one_line(error: Exception) -> str:
    if isinstance(error, UnicodeError):  # its text may hold the password
        return "a name or password that cannot be sent"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _kind(error: Exception) -> str:
    """Return what failed, without the address: that of a webhook is often a secret."""
    if isinstance(error, requests.exceptions.SSLError):
        untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
        return "its certificate is not trusted" if untrusted else "TLS fails"
    if isinstance(error, requests.Timeout):
        return f"no answer in {TIMEOUT_S:g} s"
    return type(error).__name__
