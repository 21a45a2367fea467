"""The adapter's broker on a real socket: TLS, topics, wills, nothing retained."""

import asyncio
import socket
import ssl

import aiomqtt
import pytest

from devices.adapter.broker import AdapterBroker, server_context
from devices.adapter.messages import COMMAND, CONFIGURATION, MONITORING
from devices.errors import DeviceConfigError


def broker_of(certificates, heard, **options):
    """Return a broker that repeats what it hears."""

    async def handle(topic, payload):
        heard.append((topic, payload))
        await broker.publish(b"heard " + payload)

    tls = server_context(certificates.certificate, certificates.key, **options)
    broker = AdapterBroker(handle, host="127.0.0.1", port=0, tls=tls)
    return broker


def test_requests_are_handled_and_answers_heard(certificates, client_of):
    heard = []

    async def talk():
        broker = broker_of(certificates, heard)
        await broker.start()
        async with client_of(broker.port) as client:
            await client.publish(CONFIGURATION, b"a", qos=1)
            await client.publish(COMMAND, b"b", qos=1)
            answers = [await anext(client.messages) for _ in range(2)]
        await broker.stop()
        return [(str(each.topic), each.payload, each.qos, each.retain) for each in answers]

    assert asyncio.run(talk()) == [
        (MONITORING, b"heard a", 1, False),
        (MONITORING, b"heard b", 1, False),
    ]
    assert heard == [(CONFIGURATION, b"a"), (COMMAND, b"b")]


def test_a_will_is_handled_when_its_client_is_gone_without_a_farewell(certificates, client_of):
    heard = []

    async def talk():
        broker = broker_of(certificates, heard)
        await broker.start()
        will = aiomqtt.Will(COMMAND, b"last", qos=1)
        async with client_of(broker.port, will=will) as client:
            client._client.socket().shutdown(socket.SHUT_RDWR)
            with pytest.raises(aiomqtt.MqttError):
                await anext(client.messages)
        async with client_of(broker.port) as other, asyncio.timeout(60):
            while not heard:  # noqa: ASYNC110 -- no event tells
                await asyncio.sleep(0.01)
            await other.publish(COMMAND, b"next", qos=1)
            await anext(other.messages)
        await broker.stop()

    asyncio.run(talk())

    assert heard == [(COMMAND, b"last"), (COMMAND, b"next")]


def test_clients_can_neither_forge_answers_nor_listen_to_others_nor_leave_messages(
    certificates, client_of
):
    heard = []

    async def talk():
        broker = broker_of(certificates, heard)
        await broker.start()
        async with client_of(broker.port) as client:
            refused = [(await client.subscribe(topic))[0].value for topic in ("#", COMMAND)]
            await client.publish(MONITORING, b"forged", qos=1)
            await client.publish(COMMAND, b"kept", qos=1, retain=True)
            first = await anext(client.messages)
        async with client_of(broker.port) as later:
            await later.publish(COMMAND, b"new", qos=1)
            second = await anext(later.messages)
        await broker.stop()
        return refused, first.payload, second.payload

    assert asyncio.run(talk()) == ([0x80, 0x80], b"heard kept", b"heard new")


def test_tls_older_than_1_2_is_not_spoken(certificates):
    context = server_context(certificates.certificate, certificates.key)

    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_an_adapter_that_asks_for_certificates_lets_nobody_else_in(certificates, client_of):
    heard = []

    async def talk():
        broker = broker_of(certificates, heard, client_ca=certificates.ca)
        await broker.start()
        try:
            with pytest.raises(aiomqtt.MqttError):
                async with client_of(broker.port, wait_s=2):
                    pass
            cert = (certificates.client_certificate, certificates.client_key)
            async with client_of(broker.port, cert=cert) as client:
                await client.publish(COMMAND, b"in", qos=1)
                return (await anext(client.messages)).payload
        finally:
            await broker.stop()

    assert asyncio.run(talk()) == b"heard in"


def test_a_port_that_is_taken_and_files_that_are_none_are_one_line(certificates, tmp_path):
    async def start_twice():
        first = broker_of(certificates, [])
        await first.start()
        tls = server_context(certificates.certificate, certificates.key)
        second = AdapterBroker(lambda *_: None, host="127.0.0.1", port=first.port, tls=tls)
        try:
            with pytest.raises(DeviceConfigError, match="name another port"):
                await second.start()
        finally:
            await first.stop()

    asyncio.run(start_twice())
    (tmp_path / "x.pem").write_text("no certificate")
    with pytest.raises(DeviceConfigError, match="make them anew"):
        server_context(tmp_path / "x.pem", certificates.key)
