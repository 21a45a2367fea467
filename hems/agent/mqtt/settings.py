"""Settings of what the gateway says and hears over MQTT, and the topics it does so on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LEVEL: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
PROTOCOLS: Final = ("auto", "5", "3.1.1")
"""What ``[broker] protocol`` may be."""


def _within(value: float, name: str, low: float, high: float) -> None:
    if not low <= value <= high:
        msg = f"{name} is {value:g}; give {low:g}..{high:g}"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """Where the broker is and how it knows us: the table ``[broker]``.

    Raises
    ------
    ValueError
        If a value is out of range or the credentials are incomplete.
    """

    host: str
    """Host name or address."""
    port: int | None = None
    """Port; None for 8883 with TLS and 1883 without."""
    tls: bool = True
    """Whether the connection is encrypted; passwords are sent only if it is."""
    ca_file: Path | None = None
    """Certificate of the broker's authority; None for those that the computer trusts."""
    check_name: bool = True
    """Whether the broker's certificate must carry ``host``."""
    cert_file: Path | None = None
    """The gateway's certificate, for brokers that ask for one."""
    key_file: Path | None = None
    """Its key."""
    user: str | None = None
    """User name, for brokers that ask for one."""
    password_file: Path | None = None
    """File with the password on its first line, readable by its owner only."""
    topic_root: str = "gridpact"
    """First levels of every topic; the gateway's id is the next."""
    protocol: str = "auto"
    """``auto``: MQTT 5 where the broker speaks it, else 3.1.1; or one of the two."""
    timeout_s: float = 10.0
    """How long an answer of the broker, or a connection, may take, 1..120. [s]"""
    keepalive_s: int = 30
    """A gateway silent for one and a half of these is offline to the broker, 5..600. [s]"""
    retry_longest_s: float = 300.0
    """Longest pause between two attempts to connect, 2..3600. [s]"""
    announce: bool = True
    """Whether the gateway announces itself in the house's network by mDNS."""
    receipts: bool = True
    """Whether telemetry is kept until the aggregator's service has it on its disk, where one offers
    to say so; else until the broker has acknowledged it."""

    def __post_init__(self) -> None:
        _within(self.port or 1, "port", 1, 65_535)
        _within(self.timeout_s, "timeout_s", 1, 120)
        _within(self.keepalive_s, "keepalive_s", 5, 600)
        _within(self.retry_longest_s, "retry_longest_s", 2, 3600)
        if self.protocol not in PROTOCOLS:
            msg = f"protocol is {self.protocol!r}; give one of {', '.join(PROTOCOLS)}"
            raise ValueError(msg)
        if not all(_LEVEL.fullmatch(level) for level in self.topic_root.split("/")):
            msg = (
                f"topic_root is {self.topic_root!r}; give levels of letters, digits and _ . - "
                "with / between them"
            )
            raise ValueError(msg)
        self._check_credentials()

    def _check_credentials(self) -> None:
        for one, other in (("cert_file", "key_file"), ("user", "password_file")):
            if (getattr(self, one) is None) != (getattr(self, other) is None):
                msg = f"{one} and {other} go together; give both or none"
                raise ValueError(msg)
        if not self.tls and any((self.ca_file, self.cert_file, self.password_file)):
            msg = "tls is false, so certificates and passwords are not sent; set tls = true"
            raise ValueError(msg)

    @property
    def port_used(self) -> int:
        """The port that is dialled."""
        return self.port or (8883 if self.tls else 1883)


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """What is measured how often and kept how long: the table ``[telemetry]``.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    sample_s: float = 15.0
    """From a sample to the next, 1..300 (Burgio 2023, section 2.3). [s]"""
    period_s: float = 60.0
    """From a message to the next: a whole number of samples, up to a day. [s]"""
    expire_h: float = 168.0
    """How long a message is of use, 1..8760; then it is not sent any more. [h]"""
    spool_rows: int = 12_000
    """Messages that wait for the broker at most, 100..1000000; a day has 1440."""
    spool_mb: float = 64.0
    """Size of these messages at most, 1..10000. [MB]"""

    def __post_init__(self) -> None:
        _within(self.sample_s, "sample_s", 1, 300)
        _within(self.period_s, "period_s", self.sample_s, 86_400)
        _within(self.expire_h, "expire_h", 1, 8_760)
        _within(self.spool_rows, "spool_rows", 100, 1_000_000)
        _within(self.spool_mb, "spool_mb", 1, 10_000)
        samples = self.period_s / self.sample_s
        if abs(samples - round(samples)) > 1e-9:
            msg = f"period_s is {self.period_s:g}; give a whole number of sample_s"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSettings:
    """Whose commands are taken and for how long: the table ``[commands]``.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    enabled: bool = True
    """Whether commands are listened for at all."""
    senders: str = ""
    """Who may command, with commas between, each on a topic level of its own below ``command``
    that the broker's access list guards; empty for the one topic ``command``."""
    longest_min: float = 1_440.0
    """Longest interval of a command, and how long a stop stands, > 0..1440. [min]"""
    expire_most_h: float = 24.0
    """How far ahead a command may expire, 0.1..168: so long its id is remembered. [h]"""
    carry_out_s: float = 60.0
    """How long the battery may take to do what it is told, 1..600. [s]"""

    def __post_init__(self) -> None:
        _within(self.longest_min, "longest_min", 1e-3, 1_440)
        _within(self.expire_most_h, "expire_most_h", 0.1, 168)
        _within(self.carry_out_s, "carry_out_s", 1, 600)
        for each in self.names:
            if not _LEVEL.fullmatch(each):
                msg = f"senders names {each!r}; give letters, digits and _ . - only"
                raise ValueError(msg)

    @property
    def names(self) -> tuple[str, ...]:
        """Who may command; nobody by name where it is whoever may use the one topic."""
        return tuple(each.strip() for each in self.senders.split(",") if each.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistantSettings:
    """What the home's owner sees: the table ``[homeassistant]``.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    enabled: bool = False
    """Whether Home Assistant is told of the gateway; switched off, its entities are removed."""
    prefix: str = "homeassistant"
    """Home Assistant's discovery prefix."""
    currency: str = "GBP"
    """ISO 4217 code of the fleet's currency, in which earnings are shown."""
    state_s: float = 15.0
    """From a state to the next, 2..3600. [s]"""

    def __post_init__(self) -> None:
        _within(self.state_s, "state_s", 2, 3_600)
        if not all(_LEVEL.fullmatch(level) for level in self.prefix.split("/")):
            msg = f"prefix is {self.prefix!r}; give Home Assistant's discovery prefix"
            raise ValueError(msg)
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            msg = f"currency is {self.currency!r}; give an ISO 4217 code such as GBP"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierSettings:
    """All of the above."""

    broker: BrokerSettings
    """The broker."""
    telemetry: TelemetrySettings = TelemetrySettings()
    """Telemetry."""
    commands: CommandSettings = CommandSettings()
    """Commands."""
    homeassistant: HomeAssistantSettings = HomeAssistantSettings()
    """Home Assistant."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics of one gateway: ``root/id/...``."""

    root: str
    """See `BrokerSettings.topic_root`."""
    device_id: str
    """The gateway's id."""

    @property
    def status(self) -> str:
        """``online`` or ``offline``, retained."""
        return self._of("status")

    @property
    def telemetry(self) -> str:
        """What was measured, each period."""
        return self._of("telemetry")

    @property
    def acknowledgement(self) -> str:
        """Whether a command was taken."""
        return self._of("acknowledgement")

    @property
    def outcome(self) -> str:
        """What became of a command."""
        return self._of("outcome")

    @property
    def receipts_offered(self) -> str:
        """Whether the aggregator's service gives receipts, to everybody, retained."""
        return f"{self.root}/received"

    @property
    def received(self) -> str:
        """Which of our messages the aggregator's service has on its disk."""
        return self._of("received")

    @property
    def state(self) -> str:
        """What Home Assistant shows."""
        return self._of("state")

    def commands(self, senders: Iterable[str]) -> tuple[str, ...]:
        """Topics on which commands are heard."""
        named = tuple(f"{self._of('command')}/{sender}" for sender in senders)
        return named or (self._of("command"),)

    def _of(self, last: str) -> str:
        return f"{self.root}/{self.device_id}/{last}"
