"""When something is an alarm, and whom it is told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

TLS: Final = ("starttls", "tls", "none")
"""What ``email_tls`` may be."""
_LOCAL: Final = ("127.0.0.1", "::1", "localhost")
_DAY_S: Final = 86_400.0
_HOST: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9:]([A-Za-z0-9.:_-]{0,251}[A-Za-z0-9.:])?")
_ADDRESS: Final = re.compile(r"[!-?A-~]+@[!-?A-~]+", re.ASCII)
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "each_s": (1, 600),
    "temperature_most_c": (-60, 150),
    "temperature_clear_c": (-60, 150),
    "soc_margin": (0, 1),
    "soc_held_s": (0, _DAY_S),
    "silent_s": (1, 30 * _DAY_S),
    "meter_gap_w": (0, 1e6),
    "meter_gap_clear_w": (0, 1e6),
    "meter_held_s": (0, _DAY_S),
    "missed_share": (0, 1),
    "missed_after_s": (0, 7_200),
    "ledger_behind_s": (1, 30 * _DAY_S),
    "broker_lost_s": (0, _DAY_S),
    "store_behind_s": (1, 30 * _DAY_S),
    "channel_lost_s": (0, _DAY_S),
    "gather_s": (0, 3_600),
    "pause_s": (0, _DAY_S),
    "repeat_h": (0, 720),
    "email_port": (1, 65_535),
}
"""Least and greatest value of what is a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSettings:
    """Thresholds and recipients: the table ``[alarms]``.

    Each alarm has a threshold, and a value at which it is over by itself.

    Raises
    ------
    ValueError
        If a value is out of range or an address is incomplete.
    """

    each_s: float = 10.0
    """From one look at all homes to the next, 1..600. [s]"""
    temperature_most_c: float = 50.0
    """A warmer battery is an alarm. [°C]"""
    temperature_clear_c: float = 45.0
    """At this it is over. [°C]"""
    soc_margin: float = 0.02
    """How far a state of charge may be outside of the battery's window, 0..1."""
    soc_held_s: float = 120.0
    """For how long it has to be outside. [s]"""
    silent_s: float = 300.0
    """A gateway from which nothing came for longer is silent. [s]"""
    meter_gap_w: float = 500.0
    """How far grid power may be from load and battery less production. [W]"""
    meter_gap_clear_w: float = 250.0
    """At this it is over. [W]"""
    meter_held_s: float = 600.0
    """For how long it has to be so. [s]"""
    missed_share: float = 0.1
    """Part of an interval's commitment that may be missing, 0..1."""
    missed_after_s: float = 600.0
    """How long after its end an interval is looked at: reports come late. [s]"""
    ledger_behind_s: float = 120.0
    """How far the ledger's time may be behind ours. [s]"""
    broker_lost_s: float = 60.0
    """For how long the broker may be away. [s]"""
    store_behind_s: float = 300.0
    """How far roll-ups may be behind. [s]"""
    channel_lost_s: float = 300.0
    """For how long e-mail or webhook may take nothing. [s]"""
    gather_s: float = 5.0
    """How long the first alarm of a message waits for others. [s]"""
    pause_s: float = 60.0
    """From one message to the next at least. [s]"""
    repeat_h: float = 4.0
    """What nobody acknowledged is told again after so long; 0 for never. [h]"""
    tell_over: bool = True
    """Whether it is told what is over."""
    email_host: str = ""
    """Server for e-mail; empty for none."""
    email_port: int = 587
    """Its port."""
    email_tls: str = "starttls"
    """``starttls``, ``tls`` (from the first byte) or ``none`` (on this computer only)."""
    email_ca_file: Path | None = None
    """Certificate of its authority; None for those that the computer trusts."""
    email_user: str | None = None
    """User name."""
    email_password_file: Path | None = None
    """File with the password on its first line, readable by its owner only."""
    email_from: str = ""
    """Sender's address."""
    email_to: str = ""
    """Recipients' addresses, with commas between."""
    webhook_url: str = ""
    """Where messages are posted; empty for nowhere. Another computer's begins with https://."""
    webhook_secret_file: Path | None = None
    """File with the secret that signs them, readable by its owner only."""
    webhook_ca_file: Path | None = None
    """Certificate of its authority; None for the public ones."""

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            if not least <= getattr(self, name) <= most:  # also what is no number
                msg = f"{name} is {getattr(self, name):g}; give {least:g}..{most:g}"
                raise ValueError(msg)
        for clear, above in (
            ("temperature_clear_c", "temperature_most_c"),
            ("meter_gap_clear_w", "meter_gap_w"),
        ):
            if getattr(self, clear) > getattr(self, above):
                msg = (
                    f"{clear} is {getattr(self, clear):g}, above {above}, "
                    f"{getattr(self, above):g}; give no more"
                )
                raise ValueError(msg)
        self._check_email()
        self._check_webhook()

    def _check_email(self) -> None:
        if not self.email_host:
            self._check_unused("email_", "email_host")
            return
        if _HOST.fullmatch(self.email_host) is None:
            msg = f"email_host is {self.email_host!r}; give a host's name or address"
            raise ValueError(msg)
        if not self.email_from or not self.recipients:
            msg = "email_host is given without email_from and email_to; give all three"
            raise ValueError(msg)
        told = [("email_from", self.email_from), *(("email_to", each) for each in self.recipients)]
        for name, address in told:
            if _ADDRESS.fullmatch(address) is None:
                msg = f"{name} has {address!r}; give addresses such as day@example.org"
                raise ValueError(msg)
        self._check_login()

    def _check_login(self) -> None:
        if self.email_tls not in TLS:
            msg = f"email_tls is {self.email_tls!r}; give one of {', '.join(TLS)}"
            raise ValueError(msg)
        if (self.email_user is None) != (self.email_password_file is None):
            msg = "email_user and email_password_file go together; give both or none"
            raise ValueError(msg)
        if self.email_user is not None and not self.email_user.isascii():
            msg = "email_user has a character that e-mail servers do not take; give ASCII"
            raise ValueError(msg)
        if self.email_tls == "none" and self.email_host not in _LOCAL:
            msg = "email_tls is none, and the server is on another computer; give starttls or tls"
            raise ValueError(msg)

    def _check_webhook(self) -> None:
        if not self.webhook_url:
            self._check_unused("webhook_", "webhook_url")
            return
        # what messages do not show: addresses of webhooks are often secrets
        try:
            parts = urlsplit(self.webhook_url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            msg = "webhook_url is no address; give one such as https://example.org/alarms"
            raise ValueError(msg) from None
        if parts.scheme != "https" and (parts.scheme, host in _LOCAL) != ("http", True):
            msg = "webhook_url does not begin with https://; give one that does"
            raise ValueError(msg)
        if host is None or _HOST.fullmatch(host) is None:
            msg = "webhook_url names no host; give one such as https://example.org/alarms"
            raise ValueError(msg)
        if parts.username is not None:
            msg = "webhook_url has a user in it; take it out: messages are signed instead"
            raise ValueError(msg)
        if self.webhook_secret_file is None:
            msg = "webhook_url is given without webhook_secret_file; messages are signed with it"
            raise ValueError(msg)

    def _check_unused(self, prefix: str, needed: str) -> None:
        """Refuse what would do nothing, for somebody counts on it."""
        for each in fields(self):
            if each.name.startswith(prefix) and getattr(self, each.name) != each.default:
                msg = f"{each.name} is given without {needed}; give that, or take it out"
                raise ValueError(msg)

    @property
    def recipients(self) -> tuple[str, ...]:
        """The recipients' addresses."""
        return tuple(each.strip() for each in self.email_to.split(",") if each.strip())
