"""What goes wrong between an emulated HTTP device and its client, seen byte by byte."""

import asyncio
import json
from collections import Counter

import pytest

from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.http_server import (
    LATE_S,
    READ_FAULTS,
    REBOOT_S,
    WRITE_FAULTS,
    HttpAnswer,
    HttpServer,
    without_values,
)
from devices.hand_clock import HandClock


class Counting:
    """A device that counts what it is told."""

    def __init__(self):
        self.faults = FaultPlan.none()
        self.done = Counter()

    @property
    def offered(self):
        return READ_FAULTS | WRITE_FAULTS

    def answer(self, request):
        if request.method == "GET":
            return HttpAnswer(body=json.dumps({"done": self.done.total()}).encode())
        return HttpAnswer(body=b"true", effect=lambda: self.done.update(["write"]))

    def reboot(self):
        self.done.clear()


async def talk(port, method="GET", wait_s=10.0):
    """Send a request and return all that comes until the connection closes or time is up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    try:
        async with asyncio.timeout(wait_s):
            return await reader.read()
    except ConnectionResetError:
        return b""
    except TimeoutError:
        return None
    finally:
        writer.close()


def with_server(scenario, **options):
    async def run():
        device, clock = Counting(), HandClock()
        server = HttpServer(device, clock=clock, host="127.0.0.1", port=0, **options)
        await server.start()
        try:
            await scenario(device, clock, server.port)
        finally:
            await server.stop()

    asyncio.run(run())


def test_in_good_health_it_answers_and_does():
    async def scenario(device, _, port):
        said = await talk(port, "POST")

        assert said.startswith(b"HTTP/1.1 200 OK\r\n")
        assert said.endswith(b"\r\n\r\ntrue")
        assert device.done == {"write": 1}
        assert (await talk(port)).endswith(b'{"done": 1}')

    with_server(scenario)


@pytest.mark.parametrize(
    ("fault", "start", "done"),
    [
        (Fault.REFUSED_CONNECTION, b"", 0),
        (Fault.BUSY, b"HTTP/1.1 503", 0),
        (Fault.UNAUTHORISED, b"HTTP/1.1 401", 0),
        (Fault.TOO_MANY, b"HTTP/1.1 429", 0),
        (Fault.SERVER_ERROR, b"HTTP/1.1 500", 0),
        (Fault.HTML_INSTEAD_OF_JSON, b"HTTP/1.1 200", 1),
        (Fault.WRITE_IGNORED, b"HTTP/1.1 200", 0),
        (Fault.HALF_ANSWER, b"HTTP/1.1 200", 1),
    ],
)
def test_a_fault_shows_on_the_wire_and_the_next_request_is_served(fault, start, done):
    async def scenario(device, _, port):
        device.faults = FaultPlan.once(fault)
        said = await talk(port, "POST")

        assert said.startswith(start)
        assert bool(said) == bool(start)
        assert device.done.total() == done
        assert device.faults.seen == {fault: 1}
        assert (await talk(port)).startswith(b"HTTP/1.1 200")

    with_server(scenario)


def test_half_an_answer_promises_more_than_comes():
    async def scenario(device, _, port):
        device.faults = FaultPlan.once(Fault.HALF_ANSWER)
        head, _, body = (await talk(port)).partition(b"\r\n\r\n")

        assert b"Content-Length: 11" in head
        assert body == b'{"don'

    with_server(scenario)


def test_a_time_out_is_silence_with_the_connection_open():
    async def scenario(device, _, port):
        device.faults = FaultPlan.once(Fault.TIMEOUT)

        assert await talk(port, wait_s=0.1) is None

    with_server(scenario)


def test_too_many_requests_are_told_how_long_to_wait():
    async def scenario(device, _, port):
        device.faults = FaultPlan.once(Fault.TOO_MANY)

        assert b"Retry-After: 5\r\n" in await talk(port)

    with_server(scenario)


def test_a_late_write_and_a_slow_reaction_take_effect_in_time():
    async def scenario(device, clock, port):
        device.faults = FaultPlan.once(Fault.WRITE_LATE)
        await talk(port, "POST")
        await talk(port, "POST")
        counts = [device.done.total()]
        for seconds in (1.0, LATE_S - 1.0):
            await clock.advance(seconds)
            counts.append(device.done.total())

        assert counts == [0, 1, 2]

    with_server(scenario, reaction_s=1.0)


def test_a_restart_takes_its_time_and_what_was_set():
    async def scenario(device, clock, port):
        await talk(port, "POST")
        device.faults = FaultPlan.once(Fault.WRITE_LATE)
        await talk(port, "POST")
        device.faults = FaultPlan.once(Fault.REBOOT)
        heard = [await talk(port), await talk(port)]
        await clock.advance(REBOOT_S)
        heard.append((await talk(port)).partition(b"\r\n\r\n")[2])

        assert heard == [b"", b"", b'{"done": 0}']

    with_server(scenario)


def test_a_stuck_sensor_repeats_itself_and_a_missing_value_is_null():
    async def scenario(device, _, port):
        await talk(port)
        await talk(port, "POST")
        device.faults = FaultPlan.once(Fault.STUCK_SENSOR)
        stuck = await talk(port)
        device.faults = FaultPlan.once(Fault.NOT_IMPLEMENTED_VALUE)
        missing = await talk(port)

        assert stuck.endswith(b'{"done": 0}')
        assert missing.endswith(b'{"done": null}')

    with_server(scenario)


def test_a_plan_that_the_device_cannot_show_is_refused_at_the_start():
    device = Counting()
    device.faults = FaultPlan.always(Fault.WRONG_CHECKSUM)
    server = HttpServer(device, clock=HandClock(), host="127.0.0.1", port=0)

    with pytest.raises(ValueError, match="wrong-checksum cannot be shown"):
        asyncio.run(server.start())


@pytest.mark.parametrize(
    ("body", "blank"),
    [
        (
            b'{"a": [1, {"b": 2.5}], "c": "3", "d": true}',
            b'{"a": [null, {"b": null}], "c": "3", "d": true}',
        ),
        (b"no json", b"no json"),
    ],
)
def test_only_numbers_go_missing(body, blank):
    assert without_values(body) == blank
