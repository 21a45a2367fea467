"""The desk answers the paper's messages by way of an emulated inverter on Modbus TCP."""

import asyncio
import json

import pytest

from devices.adapter.messages import COMMAND, CONFIGURATION


def configuration(port, **more):
    """Return §3.2's configuration for the emulated inverter."""
    return json.dumps(
        {
            "storage": "sunspec",
            "model": "Storedge 4",
            "address": "127.0.0.1",
            "port": port,
            "crate": {"max": 4000},
            "soc": {"mins": 5},
            **more,
        }
    ).encode()


async def asked(desk, topic, message):
    """Return the answer to a message, without its time."""
    answer = json.loads(await desk.answer(topic, message))
    answer.pop("timestamp")
    return answer


def test_a_command_before_the_configuration_is_refused_and_says_so(desk_at):
    async def talk():
        async with desk_at() as (desk, _, _, _):
            return await asked(desk, COMMAND, b'{"read":"State of charge","id":1}')

    assert asyncio.run(talk()) == {
        "device": "storage",
        "accepted": False,
        "error": "adapter: no storage is configured; send a configuration first",
        "code": "not-configured",
        "id": 1,
    }


def test_charge_at_half_of_the_rated_power_is_done_and_ends_with_its_interval(desk_at):
    async def talk():
        async with desk_at() as (desk, home, clock, port):
            await asked(desk, CONFIGURATION, configuration(port))
            done = await asked(desk, COMMAND, b'{"write":"charge","power":50,"interval":60}')
            powers_w = [round(home.state().battery_power_w)]
            for minutes in (59, 2):
                await clock.advance(60 * minutes)
                powers_w.append(round(home.state().battery_power_w))
            read = await asked(desk, COMMAND, b'{"read":"Active power"}')
            return done, powers_w, read

    done, powers_w, read = asyncio.run(talk())

    assert done == {
        "device": "storage",
        "write": "charge",
        "accepted": True,
        "interval": 60.0,
        "mode": "charge",
        "power": 50.0,
    }
    assert powers_w == [2_000, 2_000, -500]
    assert (read["type"], read["last"], read["mode"]) == ("delivered", 500.0, "self-consumption")


def test_discharge_profile_and_stop_are_done_as_table_4_says(desk_at):
    async def talk():
        powers_w = []
        async with desk_at() as (desk, home, clock, port):
            await asked(desk, CONFIGURATION, configuration(port))
            for message in (
                b'{"write":"discharge","power":80,"interval":60}',
                b'{"write":"stop"}',
                b'{"write":"profile": "self-consumption"}',
            ):
                answer = await asked(desk, COMMAND, message)
                await clock.advance(2)
                powers_w.append((answer["mode"], round(home.state().battery_power_w)))
        return powers_w

    assert asyncio.run(talk()) == [
        ("discharge", -3_200),
        ("stop", 0),
        ("self-consumption", -500),
    ]


def test_a_storage_below_its_least_state_of_charge_is_not_discharged(desk_at):
    async def talk():
        async with desk_at(soc=0.045) as (desk, home, _, port):
            await asked(desk, CONFIGURATION, configuration(port))
            answer = await asked(desk, COMMAND, b'{"write":"discharge","power":80,"interval":60}')
            return answer["code"], round(home.state().battery_power_w)

    assert asyncio.run(talk()) == ("refused", -500)


def test_a_discharge_ends_where_the_least_state_of_charge_is_reached(desk_at):
    async def talk():
        async with desk_at(soc=0.5) as (desk, _, clock, port):
            await asked(desk, CONFIGURATION, configuration(port, soc={"mins": 45}))
            await asked(desk, COMMAND, b'{"write":"discharge","power":80,"interval":600}')
            await clock.advance(1_200)
            await desk.sample()
            answer = await asked(desk, COMMAND, b'{"read":"State of charge"}')
            return answer["mode"]

    assert asyncio.run(talk()) == "self-consumption"


def test_samples_become_one_report_of_minimum_maximum_and_average(desk_at):
    async def talk():
        async with desk_at() as (desk, _, _, port):
            await asked(desk, CONFIGURATION, configuration(port))
            for power in (50, 25, 75):
                message = {"write": "charge", "power": power, "interval": 60}
                await asked(desk, COMMAND, json.dumps(message).encode())
                await desk.sample()
            reports = [json.loads(report) for report in desk.reports()]
            return {report["quantity"]: report for report in reports}, desk.reports()

    reports, second = asyncio.run(talk())

    power = reports["Active power"]
    assert (power["min"], power["max"], power["avg"], power["last"], power["type"]) == (
        1_000.0,
        3_000.0,
        2_000.0,
        3_000.0,
        "absorbed",
    )
    assert reports["State of charge"]["unit"] == "%"
    assert second == []


def test_an_inverter_that_is_away_is_unavailable_and_served_when_it_is_back(desk_at):
    async def talk():
        async with desk_at() as (desk, _, _, port):
            away = await asked(desk, CONFIGURATION, configuration(1))
            back = await asked(desk, CONFIGURATION, configuration(port))
            return away["code"], back["configured"]

    assert asyncio.run(talk()) == ("unavailable", True)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"write":"charge"}', b"\x00" * 10_000])
def test_whatever_is_sent_is_answered_with_one_line(desk_at, payload):
    async def talk():
        async with desk_at() as (desk, _, _, _):
            return await asked(desk, COMMAND, payload)

    answer = asyncio.run(talk())

    assert answer["code"] == "refused"
    assert "\n" not in answer["error"]
