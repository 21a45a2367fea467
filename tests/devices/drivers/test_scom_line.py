"""A line to a Studer gateway, with a gateway on the other end that answers as each test wants."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from devices.drivers.scom_codec import HOST, Frame, ObjectType, PropertyId, Service, encode
from devices.drivers.scom_line import ScomLine
from devices.emulators.scom_server import ScomServer
from devices.errors import DeviceRefusedError, DeviceUnavailableError

ASKED = Frame(HOST, 101, Service.READ, ObjectType.INFO, 3000, PropertyId.INFO_VALUE)
TWELVE = b"\x00\x00\x40\x41"


def healthy(request):
    return encode(request.answer(TWELVE))


@asynccontextmanager
async def gateway(answer=healthy, *, over_tcp=False, **options):
    server = ScomServer(answer, latency_s=0.0)
    port = f"tcp://127.0.0.1:{await server.listen('127.0.0.1', 0)}" if over_tcp else ""
    port = port or server.open_terminal()
    line = ScomLine("x", port, **{"baud": 38_400, "parity": "N", "timeout_s": 5.0, **options})
    try:
        yield line, server
    finally:
        await line.close()
        await server.close()


def ask(*answers, **options):
    """Return what a line gets whose gateway gives these answers, the last one from then on."""
    left = list(answers)

    def answer(request):
        return (left.pop(0) if len(left) > 1 else left[0])(request)

    async def run():
        async with gateway(answer, **options) as (line, _):
            return await line.ask(ASKED)

    return asyncio.run(run())


OTHERS = {
    "noise": lambda request: b"\xaa\x00noise\xaa",
    "silence": lambda request: b"",
    "half an answer": lambda request: healthy(request)[:15],
    "a wrong checksum": lambda request: healthy(request)[:-1] + b"\x00",
    "another's answer": lambda request: encode(
        request._replace(object_id=7002, destination=601).answer(bytes(4))
    ),
    "its own echo": encode,
}


@pytest.mark.parametrize("over_tcp", [False, True], ids=["serial", "tcp"])
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_answer_is_found_behind_other_bytes_and_asked_for_again_without_it(other, over_tcp):
    behind = ask(lambda request: other(request) + healthy(request), over_tcp=over_tcp)
    again = ask(other, healthy, over_tcp=over_tcp, timeout_s=0.5)

    assert (behind, again) == (TWELVE, TWELVE)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_gateway_that_never_answers_is_unavailable(other):
    with pytest.raises(DeviceUnavailableError, match=r"x at .*: no answer from 101 within 0\.05 s"):
        ask(other, timeout_s=0.05)


def test_refusal_is_raised_with_its_place():
    with pytest.raises(DeviceRefusedError, match=r"x 101\.3000: object not supported \(0x22\)"):
        ask(lambda request: encode(request.answer(b"\x22\x00", error=True)))


def test_serial_port_is_opened_with_even_parity_as_the_gateway_wants_it():
    assert ask(healthy, parity="E") == TWELVE


def test_requests_made_at_once_wait_for_each_other():
    async def run():
        async with gateway() as (line, _):
            return await asyncio.gather(*(line.ask(ASKED) for _ in range(5)))

    assert asyncio.run(run()) == [TWELVE] * 5


@pytest.mark.parametrize("over_tcp", [False, True], ids=["serial", "tcp"])
def test_line_that_goes_away_is_unavailable(over_tcp):
    async def run():
        async with gateway(over_tcp=over_tcp) as (line, server):
            await line.ask(ASKED)
            await server.close()
            with pytest.raises(DeviceUnavailableError, match="cannot be used"):
                await line.ask(ASKED)

    asyncio.run(run())


def test_line_that_comes_back_is_opened_again():
    async def run():
        async with gateway(over_tcp=True) as (line, server):
            await line.ask(ASKED)
            port = int(line._port.rpartition(":")[2])
            await server.close()
            await server.listen("127.0.0.1", port)
            return await line.ask(ASKED)

    assert asyncio.run(run()) == TWELVE


@pytest.mark.parametrize("port", ["/dev/gridpact-none", "/dev/null", "tcp://127.0.0.1:9"])
def test_port_that_is_none_is_unavailable(port):
    async def run():
        line = ScomLine("x", port, baud=38_400, parity="E", timeout_s=1.0)
        with pytest.raises(DeviceUnavailableError, match="cannot be used"):
            await line.ask(ASKED)

    asyncio.run(run())


def test_port_that_another_program_holds_is_unavailable():
    async def run():
        async with gateway() as (first, _):
            second = ScomLine("y", first._port, baud=38_400, parity="N", timeout_s=0.2)
            await first.ask(ASKED)
            with pytest.raises(DeviceUnavailableError, match="exclusive"):
                await second.ask(ASKED)

    asyncio.run(run())


def test_xcom_lan_is_left_alone_a_second_after_a_burst_of_questions():
    async def run():
        async with gateway(over_tcp=True, burst_s=0.1) as (line, _):
            loop = asyncio.get_running_loop()
            began_s, took_s = loop.time(), 0.0
            while loop.time() < began_s + 0.5 and took_s < 0.5:
                asked_s = loop.time()
                await line.ask(ASKED)
                took_s = loop.time() - asked_s
            return asked_s - began_s, took_s

    after_s, took_s = asyncio.run(run())

    assert 0.1 <= after_s < 0.5
    assert took_s >= 1.0
