"""What the first start makes: the tables, the operator's token, the built-in broker's secrets."""

import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from aggregator.service.alone import make_folder
from aggregator.service.credentials import (
    BROKER_PASSWORD,
    BROKER_USERS,
    SERVICE,
    BrokerUsers,
    new_secret,
    remove_secret,
    secret_file,
    write_secret,
)
from aggregator.service.ingest.subscriber import Tell
from aggregator.service.registry.tokens import TokenBook
from aggregator.service.settings import BrokerSettings, ServiceSettings
from aggregator.service.store.migrate import migrate
from aggregator.service.store.store import Store, open_store
from aggregator.service.store.tables import tokens
from aggregator.service.store.telemetry import write_channels
from devices.clock import Clock

ADMIN_TOKEN: Final = "admin.token"  # noqa: S105 -- a file's name
"""File with the operator's token that the first start makes."""
BROKER_TLS: Final = "tls"
"""Folder of the built-in broker's certificates."""


def prepared_store(settings: ServiceSettings, *, clock: Clock, tell: Tell) -> Store:
    """Return the store with the tables of this version; the first time, with a token in a file.

    Raises
    ------
    ServiceConfigError
        If the folder cannot be made or the token not be written, or the tables are of a newer
        version.
    StoreUnavailableError
        If the database does not answer.
    """
    make_folder(settings.folder)
    store = open_store(settings.database_url, password_file=settings.store.password_file)
    try:
        migrate(store)
        with store.write() as connection:
            write_channels(connection)
        with store.read() as connection:
            known = connection.execute(select(func.count()).select_from(tokens)).scalar()
        if not known:
            path = settings.folder / ADMIN_TOKEN
            _make_token(store, path, at_ms=round(clock.utc().timestamp() * 1000))
            tell(f"first start: the operator's token is in {path}")
    except BaseException:
        store.close()
        raise
    return store


def _make_token(store: Store, path: Path, *, at_ms: int) -> None:
    remove_secret(path)  # of a database that is gone
    with secret_file(path) as write:  # a token that cannot be told is not made
        _, secret = TokenBook(store).make("admin", "operator", who=SERVICE, at_ms=at_ms)
        write(secret)


def with_built_in(settings: ServiceSettings, *, clock: Clock) -> ServiceSettings:
    """Return settings that lead to the built-in broker, whose secrets are made the first time.

    Raises
    ------
    ServiceConfigError, DeviceConfigError
        If files cannot be written.
    """
    from devices.adapter.certificates import files_in, make_certificates  # noqa: PLC0415 -- an extra

    folder = settings.folder
    files = files_in(folder / BROKER_TLS)
    if not files.certificate.exists():
        hosts = tuple(dict.fromkeys(("127.0.0.1", "localhost", socket.gethostname())))
        make_certificates(folder / BROKER_TLS, hosts=hosts, now=clock.utc() - timedelta(minutes=5))
    password = folder / BROKER_PASSWORD
    if not password.exists():
        (folder / BROKER_USERS).unlink(missing_ok=True)
        secret = new_secret()
        BrokerUsers(folder / BROKER_USERS).add(SERVICE, secret)
        write_secret(password, secret)
    ours = settings.broker
    return replace(
        settings,
        broker=BrokerSettings(
            host="127.0.0.1",
            port=ours.port_used,
            ca_file=files.ca,
            user=SERVICE,
            password_file=password,
            topic_root=ours.topic_root,
            protocol="3.1.1",
            keepalive_s=ours.keepalive_s,
            listen=ours.listen,
        ),
    )
