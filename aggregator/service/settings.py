"""service.toml: everything the service is told, read and checked before anything starts."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar, get_args, get_type_hints

from aggregator.service.errors import ServiceConfigError
from aggregator.service.store.retention import RetentionSettings
from devices.errors import DeviceConfigError
from devices.settings import read_settings

Settings = TypeVar("Settings")
Table = Mapping[str, object]

_LEVEL: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
PROTOCOLS: Final = ("5", "3.1.1")
"""What ``[broker] protocol`` may be."""


def is_level(name: str) -> bool:
    """Return whether a name may be one level of a topic, as gateways' ids are."""
    return _LEVEL.fullmatch(name) is not None


def _within(value: float, name: str, low: float, high: float) -> None:
    if not low <= value <= high:
        msg = f"{name} is {value:g}; give {low:g}..{high:g}"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Which database: the table ``[store]``."""

    url: str | None = None
    """``postgresql://USER@HOST/DATABASE`` or ``sqlite:///FILE``; None for a file in the folder."""
    password_file: Path | None = None
    """File with PostgreSQL's password on its first line, readable by its owner only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """Where the broker is and how it knows us: the table ``[broker]``.

    Raises
    ------
    ValueError
        If a value is out of range or the credentials are incomplete.
    """

    host: str = ""
    """Host name or address; empty for the built-in broker, which ``port`` and ``listen`` are of."""
    port: int | None = None
    """Port; None for 8883 with TLS and 1883 without."""
    tls: bool = True
    """Whether the connection is encrypted; passwords are sent only if it is, or within one host."""
    ca_file: Path | None = None
    """Certificate of the broker's authority; None for those that the computer trusts."""
    cert_file: Path | None = None
    """Our certificate, for brokers that ask for one."""
    key_file: Path | None = None
    """Its key."""
    user: str | None = None
    """User name."""
    password_file: Path | None = None
    """File with the password on its first line, readable by its owner only."""
    topic_root: str = "gridpact"
    """First levels of every topic; a gateway's id is the next."""
    protocol: str = "5"
    """``5`` or ``3.1.1``; the built-in broker speaks 3.1.1."""
    keepalive_s: int = 30
    """A connection silent for one and a half of these is lost, 5..600. [s]"""
    listen: str = "127.0.0.1"
    """Address that the built-in broker listens at."""

    def __post_init__(self) -> None:
        _within(1 if self.port is None else self.port, "port", 1, 65_535)
        _within(self.keepalive_s, "keepalive_s", 5, 600)
        if self.protocol not in PROTOCOLS:
            msg = f"protocol is {self.protocol!r}; give one of {', '.join(PROTOCOLS)}"
            raise ValueError(msg)
        if not all(is_level(level) for level in self.topic_root.split("/")):
            msg = (
                f"topic_root is {self.topic_root!r}; give levels of letters, digits and _ . - "
                "with / between them"
            )
            raise ValueError(msg)
        for one, other in (("cert_file", "key_file"), ("user", "password_file")):
            if (getattr(self, one) is None) != (getattr(self, other) is None):
                msg = f"{one} and {other} go together; give both or none"
                raise ValueError(msg)
        if not self.tls and self.user is not None and self.host not in {"127.0.0.1", "::1"}:
            msg = "tls is false, so no password is sent; set tls = true"
            raise ValueError(msg)

    @property
    def port_used(self) -> int:
        """The port that is dialled, or listened at."""
        return self.port or (8883 if self.tls else 1883)

    @property
    def speaks_5(self) -> bool:
        """Whether MQTT 5 is spoken."""
        return self.protocol == "5"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """How messages are taken: the table ``[ingest]``.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    name: str = "service"
    """Name of this process at the broker; each process that shares messages has its own."""
    share: str = ""
    """Group of processes that share the messages (MQTT 5); empty for this one alone."""
    admit: bool = True
    """Whether a home that is heard of for the first time is entered by itself."""
    batch_messages: int = 2_000
    """Messages in a transaction at most, 1..20000."""
    batch_wait_s: float = 0.05
    """How long the first message of a transaction waits for others, 0..5. [s]"""
    in_flight: int = 8_000
    """Messages that the broker sends ahead of our acknowledgements, 10..65535."""
    session_s: int = 604_800
    """How long the broker keeps what comes while we are away, 0..2419200 (MQTT 5): short where
    processes share messages and may go for good, for it keeps their part for them alone. [s]"""

    def __post_init__(self) -> None:
        _within(self.batch_messages, "batch_messages", 1, 20_000)
        _within(self.batch_wait_s, "batch_wait_s", 0, 5)
        _within(self.in_flight, "in_flight", 10, 65_535)
        _within(self.session_s, "session_s", 0, 2_419_200)
        for name in ("name", "share"):
            value = getattr(self, name)
            if value and not is_level(value):
                msg = f"{name} is {value!r}; give letters, digits and _ . - only"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """The service, as its file describes it."""

    folder: Path
    """Where everything lies that the service makes itself."""
    store: StoreSettings = field(default_factory=StoreSettings)
    """The database."""
    broker: BrokerSettings = field(default_factory=BrokerSettings)
    """The broker."""
    ingest: IngestSettings = field(default_factory=IngestSettings)
    """How messages are taken."""
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    """How long what is kept."""
    tables: Mapping[str, Table] = field(default_factory=dict)
    """Tables of other parts; see `table`."""
    file: Path | None = None
    """The file, where there is one."""

    @property
    def database_url(self) -> str:
        """The store's address."""
        return self.store.url or f"sqlite:///{(self.folder / 'service.db').absolute()}"

    def table(self, cls: type[Settings], name: str) -> Settings:
        """Return a part's own table, all of whose settings have defaults.

        Raises
        ------
        ServiceConfigError
            If a key is unknown or a value cannot be used.
        """
        where = self.file.name if self.file is not None else "defaults"
        base = (self.file.absolute() if self.file is not None else self.folder / "x").parent
        return _read(cls, self.tables.get(name, {}), base, f"{where} [{name}]")


_OURS: Final[Mapping[str, type[object]]] = {
    "store": StoreSettings,
    "broker": BrokerSettings,
    "ingest": IngestSettings,
    "retention": RetentionSettings,
}


_MOVED: Final[Mapping[tuple[str, str], str]] = {("rest", "zone"): "[day] zone"}
"""Keys that older versions had, and where they are."""


def read_service(
    path: Path | None, *, folder: Path, known: tuple[str, ...] = ()
) -> ServiceSettings:
    """Return the service's settings.

    Relative paths start at the file's folder.

    Parameters
    ----------
    path : Path, optional
        The file; None for the defaults: everything embedded in ``folder``.
    folder : Path
        Where the service keeps what it makes.
    known : tuple of str
        Tables of other parts, which read them themselves.

    Raises
    ------
    ServiceConfigError
        In one line that names place and remedy.
    """
    if path is None:
        return ServiceSettings(folder=folder)
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read ({error}); check the path and that it is UTF-8 text"
        raise ServiceConfigError(msg) from error
    except tomllib.TOMLDecodeError as error:
        msg = f"{path}: is no TOML ({error}); mend it"
        raise ServiceConfigError(msg) from error
    for name, table in tables.items():
        if name not in (*_OURS, *known) or not isinstance(table, dict):
            msg = f"{path.name}: [{name}] is no table here; give {', '.join((*_OURS, *known))}"
            raise ServiceConfigError(msg)
        for key in table:
            if (name, key) in _MOVED:
                msg = f"{path.name} [{name}]: {key} is {_MOVED[name, key]} now; write it there"
                raise ServiceConfigError(msg)
    base = path.absolute().parent
    ours = {
        name: _read(cls, tables.get(name, {}), base, f"{path.name} [{name}]")
        for name, cls in _OURS.items()
    }
    others = {name: table for name, table in tables.items() if name not in _OURS}
    return ServiceSettings(folder=folder, tables=others, file=path, **ours)  # type: ignore[arg-type] # as _OURS says


def _read(cls: type[Settings], table: Table, base: Path, where: str) -> Settings:
    paths = {key for key, kind in get_type_hints(cls).items() if Path in (kind, *get_args(kind))}
    placed = {
        key: str(base / value) if key in paths and isinstance(value, str) else value
        for key, value in table.items()
    }
    try:
        return read_settings(cls, placed, where=where)
    except DeviceConfigError as error:
        raise ServiceConfigError(str(error)) from error
