"""When something is an alarm, and whom it is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

TLS: Final = ("starttls", "tls", "none")
"""What ``email_tls`` may be."""
_LOCAL: Final = ("127.0.0.1", "::1", "localhost")


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
    gather_s: float = 5.0
    """How long the first alarm of a message waits for others. [s]"""
    pause_s: float = 60.0
    """From one message to the next at least. [s]"""
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
        if not 1 <= self.each_s <= 600:
            msg = f"each_s is {self.each_s:g}; give 1..600"
            raise ValueError(msg)
        for clear, most in (
            ("temperature_clear_c", "temperature_most_c"),
            ("meter_gap_clear_w", "meter_gap_w"),
        ):
            if not getattr(self, clear) <= getattr(self, most):
                msg = (
                    f"{clear} is {getattr(self, clear):g}, above {most}, {getattr(self, most):g}; "
                    "give no more"
                )
                raise ValueError(msg)
        self._check_shares()
        self._check_email()
        self._check_webhook()

    def _check_shares(self) -> None:
        for name in ("soc_margin", "missed_share"):
            if not 0 <= getattr(self, name) <= 1:
                msg = f"{name} is {getattr(self, name):g}; give 0..1"
                raise ValueError(msg)

    def _check_email(self) -> None:
        if not self.email_host:
            return
        if not self.email_from or not self.recipients:
            msg = "email_host is given without email_from and email_to; give all three"
            raise ValueError(msg)
        if self.email_tls not in TLS:
            msg = f"email_tls is {self.email_tls!r}; give one of {', '.join(TLS)}"
            raise ValueError(msg)
        if (self.email_user is None) != (self.email_password_file is None):
            msg = "email_user and email_password_file go together; give both or none"
            raise ValueError(msg)
        if self.email_tls == "none" and self.email_host not in _LOCAL:
            msg = "email_tls is none, and the server is on another computer; give starttls or tls"
            raise ValueError(msg)

    def _check_webhook(self) -> None:
        if not self.webhook_url:
            return
        parts = urlsplit(self.webhook_url)
        if parts.scheme != "https" and (parts.scheme, parts.hostname in _LOCAL) != ("http", True):
            msg = "webhook_url does not begin with https://; give one that does"
            raise ValueError(msg)
        if self.webhook_secret_file is None:
            msg = "webhook_url is given without webhook_secret_file; messages are signed with it"
            raise ValueError(msg)

    @property
    def recipients(self) -> tuple[str, ...]:
        """The recipients' addresses."""
        return tuple(each.strip() for each in self.email_to.split(",") if each.strip())
