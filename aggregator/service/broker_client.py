"""A client of the broker as ``[broker]`` says, before anybody listens to it."""

from typing import Final

from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from aggregator.service.ingest.bulk_client import BulkClient
from aggregator.service.settings import BrokerSettings
from devices.mqtt_client import client_context
from devices.settings import read_secret

_RETRY_S: Final = (1, 4)
"""Shortest and longest pause between two attempts to connect. [s]"""


def broker_client(
    settings: BrokerSettings, client_id: str, *, keeps_session: bool = False
) -> BulkClient:
    """Return a client that is not connected yet.

    Parameters
    ----------
    settings : BrokerSettings
        Where the broker is, and how it knows us.
    client_id : str
        What it calls us.
    keeps_session : bool
        The broker keeps what comes while we are away, and each message until it is acknowledged
        by hand; in MQTT 5 connecting says for how long. Else a session ends with its connection.

    Raises
    ------
    DeviceConfigError
        If a certificate, key or password cannot be used.
    """
    five = settings.speaks_5
    protocol = MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311
    client = BulkClient(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if five else not keeps_session,
        protocol=protocol,
        manual_ack=keeps_session,
    )
    client.reconnect_delay_set(*_RETRY_S)
    if settings.tls:
        context = client_context(
            settings.ca_file,
            cert_file=settings.cert_file,
            key_file=settings.key_file,
            remedy="name those of [broker]",
        )
        client.tls_set_context(context)
    if settings.user is not None and settings.password_file is not None:
        client.username_pw_set(settings.user, read_secret(settings.password_file))
    return client
