"""The connection with real brokers: protocols, TLS, passwords, last will."""

import asyncio
import re
import shutil
import socket
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from aiomqtt import ProtocolVersion

from devices.clock import SystemClock
from devices.hand_clock import HandClock
from hems.agent.mqtt.link import ASK_AGAIN_S, Link, reach
from hems.agent.mqtt.settings import BrokerSettings
from hems.errors import BrokerError, BrokerRefusedError

CLOCK = SystemClock()


def plain(broker, **fields):
    return BrokerSettings(host="127.0.0.1", port=broker.port, tls=False, **fields)


def known(broker):
    """Return settings with which nobody waits for a broker to say nothing in MQTT 5."""
    return plain(broker, protocol="5" if broker.speaks_5 else "3.1.1")


def link_of(settings, clock=CLOCK, **options):
    return Link(settings, client_id="gridpact-home-7", clock=clock, **options)


def test_mqtt_5_is_spoken_where_the_broker_speaks_it(any_broker):
    async def talk():
        async with any_broker() as broker:
            connection = await link_of(plain(broker), ask_5_s=0.5 + 9 * broker.speaks_5).connect()
            await connection.close()
            return broker.speaks_5, connection.speaks_5

    speaks_5, spoken = asyncio.run(talk())

    assert spoken == speaks_5


def test_a_broker_that_does_not_speak_mqtt_5_is_asked_again_only_after_a_day(amqtt):
    async def talk():
        clock = HandClock()
        asked = []
        async with amqtt() as broker:
            link = link_of(plain(broker), clock, ask_5_s=0.5)
            for wait_s in (0, ASK_AGAIN_S / 2, ASK_AGAIN_S / 2, 0):
                await clock.advance(wait_s)
                asked.append([version.name for version in link._versions()])
                connection = await link.connect()
                assert not connection.speaks_5
                await connection.close()
        return asked

    assert asyncio.run(talk()) == [["V5", "V311"], ["V311"], ["V5", "V311"], ["V311"]]


def test_the_protocol_can_be_prescribed(mosquitto):
    async def talk():
        async with mosquitto() as broker:
            settings = plain(broker, protocol="3.1.1")
            return [
                await reach(replace(settings, protocol=each), device_id="home-7", clock=CLOCK)
                for each in ("3.1.1", "5")
            ]

    assert asyncio.run(talk()) == ["MQTT 3.1.1", "MQTT 5"]


def test_expiry_and_correlation_travel_beside_the_message_with_mqtt_5_only(any_broker):
    async def talk():
        async with any_broker() as broker:
            link = link_of(known(broker))
            connection = await link.connect()
            await connection.subscribe("t/+")
            await connection.publish("t/1", b"x", expires_in_s=90.4, correlation_id="c-1")
            message = await anext(connection.incoming())
            await connection.close()
            return broker.speaks_5, message

    speaks_5, message = asyncio.run(talk())

    assert (message.topic, message.payload, message.retained) == ("t/1", b"x", False)
    beside = (message.correlation, message.expires_in_s)
    assert beside == ((b"c-1", 90) if speaks_5 else (None, None))


def test_a_gateway_that_is_cut_off_is_offline_by_its_last_will(any_broker, listener):
    async def talk():
        async with any_broker() as broker:
            link = link_of(known(broker), will_topic="gridpact/home-7/status")
            connection = await link.connect()
            async with listener(broker.port) as (_, heard):
                connection._client._client.socket().shutdown(socket.SHUT_RDWR)
                with pytest.raises(BrokerError):
                    await anext(connection.incoming())
                await heard.until(lambda _: heard.messages)
            async with listener(broker.port) as (_, later):
                await later.until(lambda _: later.messages)
            return heard.messages, later.messages

    heard, later = asyncio.run(talk())

    assert heard == [("gridpact/home-7/status", b"offline", False)]
    assert later == [("gridpact/home-7/status", b"offline", True)]


def tls_lines(certificates):
    return (
        "allow_anonymous true",
        f"cafile {certificates.ca}",
        f"certfile {certificates.certificate}",
        f"keyfile {certificates.key}",
        "require_certificate true",
        "tls_version tlsv1.2",
    )


def test_a_broker_that_asks_for_certificates_lets_in_whom_its_authority_signed(
    mosquitto, certificates
):
    async def talk():
        async with mosquitto(*tls_lines(certificates)) as broker:
            bare = BrokerSettings(host="127.0.0.1", port=broker.port, ca_file=certificates.ca)
            ours = replace(
                bare, cert_file=certificates.client_certificate, key_file=certificates.client_key
            )
            with pytest.raises(BrokerError):
                await reach(bare, device_id="home-7", clock=CLOCK)
            return await reach(ours, device_id="home-7", clock=CLOCK)

    assert asyncio.run(talk()) == "MQTT 5"


def test_a_broker_of_another_authority_is_told_nothing(mosquitto, certificates, tmp_path):
    async def talk():
        async with mosquitto(*tls_lines(certificates)) as broker:
            settings = BrokerSettings(host="127.0.0.1", port=broker.port)  # the computer's own
            with pytest.raises(BrokerRefusedError, match="not the one of the authority in ca_file"):
                await reach(settings, device_id="home-7", clock=CLOCK)
            missing = replace(settings, ca_file=tmp_path / "none.pem")
            with pytest.raises(BrokerRefusedError, match=r"none\.pem: No such file"):
                await reach(missing, device_id="home-7", clock=CLOCK)

    asyncio.run(talk())


def passwords_of(people, mosquitto_path, folder):
    """Return a broker's file of passwords."""
    passwords = folder / "passwords"
    passwords.touch(mode=0o600)
    beside = mosquitto_path.replace("sbin/mosquitto", "bin/mosquitto_passwd")
    program = shutil.which("mosquitto_passwd") or beside
    for user, password in people.items():
        subprocess.run([program, "-b", passwords, user, password], check=True)
    passwords.chmod(0o644)
    return passwords


def test_a_wrong_password_is_told_as_one_and_no_message_shows_it(
    mosquitto, certificates, needs_mosquitto, tmp_path
):
    passwords = passwords_of({"home-7": "right"}, needs_mosquitto, tmp_path)
    secret = tmp_path / "password"
    secret.touch(mode=0o600)
    lines = (
        f"password_file {passwords}",
        f"certfile {certificates.certificate}",
        f"keyfile {certificates.key}",
    )

    async def talk():
        async with mosquitto(*lines) as broker:
            settings = BrokerSettings(
                host="127.0.0.1",
                port=broker.port,
                ca_file=certificates.ca,
                user="home-7",
                password_file=secret,
            )
            secret.write_text("wrong-and-secret\n")
            with pytest.raises(BrokerRefusedError, match="does not let us in") as caught:
                await reach(settings, device_id="home-7", clock=CLOCK)
            secret.write_text("right\n")
            return str(caught.value), await reach(settings, device_id="home-7", clock=CLOCK)

    told, spoken = asyncio.run(talk())

    assert spoken == "MQTT 5"
    assert "secret" not in told


def test_the_access_list_of_the_documentation_guards_what_it_says(
    mosquitto, certificates, needs_mosquitto, tmp_path
):
    page = (Path(__file__).parents[4] / "docs" / "mqtt.md").read_text("utf-8")
    rules = tmp_path / "rules"
    rules.write_text(re.search(r"```\n(pattern write .*?)```", page, re.DOTALL)[1])
    people = {"home-7": "seven", "operator": "o"}
    lines = (
        f"password_file {passwords_of(people, needs_mosquitto, tmp_path)}",
        f"acl_file {rules}",
        f"certfile {certificates.certificate}",
        f"keyfile {certificates.key}",
    )
    topics = (
        "gridpact/home-7/telemetry",
        "gridpact/home-8/telemetry",
        "gridpact/home-8/command",
        "homeassistant/device/home-7/gridpact/config",
        "homeassistant/device/home-8/gridpact/config",
    )

    async def talk():
        async with mosquitto(*lines) as broker:
            may = []
            for user, password in people.items():
                secret = tmp_path / f"{user}.password"
                secret.touch(mode=0o600)
                secret.write_text(password)
                settings = BrokerSettings(
                    host="127.0.0.1",
                    port=broker.port,
                    ca_file=certificates.ca,
                    user=user,
                    password_file=secret,
                )
                connection = await link_of(settings).connect()
                for topic in topics:
                    try:
                        await connection.publish(topic, b"x")
                        may.append((user, topic))
                    except BrokerRefusedError:
                        continue
                await connection.close()
            return may

    assert asyncio.run(talk()) == [
        ("home-7", topics[0]),
        ("home-7", topics[3]),
        *(("operator", topic) for topic in topics[:3]),
    ]


def test_a_broker_that_refuses_a_message_says_so_with_mqtt_5(mosquitto, tmp_path):
    rules = tmp_path / "rules"
    rules.write_text("topic write allowed\n")

    async def talk():
        async with mosquitto("allow_anonymous true", f"acl_file {rules}") as broker:
            connection = await link_of(plain(broker)).connect()
            await connection.publish("allowed", b"x")
            with pytest.raises(BrokerRefusedError, match="refuses messages on forbidden"):
                await connection.publish("forbidden", b"x")
            await connection.publish("allowed", b"y")
            await connection.close()

    asyncio.run(talk())


def test_nobody_there_and_somebody_silent_are_told_within_their_time():
    async def talk():
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            nobody = BrokerSettings(host="127.0.0.1", port=port, tls=False, timeout_s=1)
            with pytest.raises(BrokerError, match="cannot be reached"):
                await reach(nobody, device_id="home-7", clock=CLOCK)
            taken.listen()
            with pytest.raises(BrokerError, match="cannot be reached"):
                await reach(nobody, device_id="home-7", clock=CLOCK)

    asyncio.run(talk())


def test_a_connection_that_is_being_made_when_we_stop_is_let_go_of():
    async def talk():
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            port = silent.getsockname()[1]
            link = link_of(BrokerSettings(host="127.0.0.1", port=port, tls=False, timeout_s=1))
            connecting = asyncio.create_task(link.connect())
            loop = asyncio.get_running_loop()
            caller, _ = await loop.run_in_executor(None, silent.accept)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            await link.close()
            caller.settimeout(20)
            while await loop.run_in_executor(None, caller.recv, 1_024):  # until it hangs up
                pass
            caller.close()

    asyncio.run(talk())


def test_old_tls_is_not_spoken(certificates):
    settings = BrokerSettings(host="127.0.0.1", ca_file=certificates.ca)

    async def context():
        client = link_of(settings)._client(ProtocolVersion.V5, 5.0)
        return client._client._ssl_context.minimum_version

    assert asyncio.run(context()) is ssl.TLSVersion.TLSv1_2
