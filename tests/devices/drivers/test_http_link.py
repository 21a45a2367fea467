"""The HTTP link turns every answer, and every missing one, into a body or one of our errors."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from devices.drivers.http_link import FixedHeaders, HttpLink, base_url, retry_after_s
from devices.errors import (
    DeviceConfigError,
    DeviceRefusedError,
    DeviceReplyError,
    DeviceUnauthorisedError,
    DeviceUnavailableError,
)
from devices.hand_clock import HandClock

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def answer(status, body=b"{}", *headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def talking(*answers, timeout_s=5.0, token="hunter2"):
    """Yield a link to a socket that gives each answer once, its clock, and what it received."""
    left, received, writers = list(answers), [], []

    async def serve(reader, writer):
        writers.append(writer)
        received.append(await reader.readuntil(b"\r\n\r\n"))
        said = left.pop(0) if left else b""
        if said is not None:  # None says nothing and leaves the connection open
            writer.write(said)
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    clock = HandClock()
    link = HttpLink(
        name="it",
        base=base_url("127.0.0.1", server.sockets[0].getsockname()[1]),
        timeout_s=timeout_s,
        clock=clock,
        authentication=FixedHeaders(values={"Auth-Token": token}),
    )
    try:
        yield link, clock, received
    finally:
        await link.close()
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()


async def error_of(link, method="GET", path="/x"):
    try:
        return await link.ask(method, path)
    except Exception as error:
        return error


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_any_2xx_is_an_answer(status):
    async def run():
        async with talking(answer(status, b"true")) as (link, _, _):
            assert await link.ask("POST", "/x") == b"true"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, DeviceReplyError),
        (400, DeviceRefusedError),
        (401, DeviceUnauthorisedError),
        (403, DeviceRefusedError),
        (404, DeviceRefusedError),
        (408, DeviceUnavailableError),
        (429, DeviceUnavailableError),
        (500, DeviceUnavailableError),
        (503, DeviceUnavailableError),
    ],
)
def test_every_other_status_is_an_error_that_says_what_to_do(status, error):
    async def run():
        said = answer(status, b"{}", "Location: http://192.0.2.1/")
        async with talking(said, answer(200)) as (link, _, received):
            found = await error_of(link)

            assert type(found) is error
            assert f"it GET /x: HTTP {status}" in str(found)
            assert "hunter2" not in str(found)
            assert len(received) == 1  # a redirection is not followed

    asyncio.run(run())


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", DeviceUnavailableError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", DeviceReplyError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", DeviceReplyError),
        (b"\x00\xff not HTTP at all\r\n\r\n", DeviceReplyError),
        (answer(200, b"x" * 99, "Content-Encoding: gzip"), DeviceReplyError),
        (answer(200, b"[" * 5_000_000), DeviceReplyError),
    ],
    ids=["closed", "half", "half-chunk", "noise", "no-gzip", "endless"],
)
def test_a_damaged_answer_is_an_error_and_the_next_request_works(said, error):
    async def run():
        async with talking(said, answer(200), timeout_s=5) as (link, _, received):
            assert type(await error_of(link)) is error
            assert len(received) == 1  # it is not repeated unasked
            assert await link.ask("GET", "/x") == b"{}"

    asyncio.run(run())


def test_silence_ends_after_the_time_out():
    async def run():
        async with talking(None, timeout_s=0.3) as (link, _, _):
            found = await error_of(link)

            assert type(found) is DeviceUnavailableError
            assert "no answer within 0.3 s" in str(found)

    asyncio.run(run())


def test_a_refused_connection_is_unavailable():
    async def run():
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        base = base_url("127.0.0.1", server.sockets[0].getsockname()[1])
        server.close()
        await server.wait_closed()
        link = HttpLink(name="it", base=base, timeout_s=1, clock=HandClock())
        found = await error_of(link)
        await link.close()

        assert type(found) is DeviceUnavailableError
        assert "no connection" in str(found)

    asyncio.run(run())


def test_a_closed_link_opens_no_connection():
    async def run():
        async with talking(answer(200)) as (link, _, received):
            await link.close()
            found = await error_of(link)

            assert type(found) is DeviceUnavailableError
            assert "open the device again" in str(found)
            assert not received

    asyncio.run(run())


def test_a_pause_that_the_device_asks_for_is_kept_without_a_request():
    async def run():
        said = answer(429, b"", "Retry-After: 30")
        async with talking(said, answer(200)) as (link, clock, received):
            first = await error_of(link)
            await clock.advance(10)
            second = await error_of(link)
            await clock.advance(20)

            assert (first.retry_after_s, second.retry_after_s) == (30, 20)
            assert len(received) == 1
            assert await link.ask("GET", "/x") == b"{}"

    asyncio.run(run())


def test_requests_go_one_at_a_time():
    async def run():
        most, now = 0, 0

        async def serve(reader, writer):
            nonlocal most, now
            now += 1
            most = max(most, now)
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.01)
            now -= 1
            writer.write(answer(200))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        base = base_url("127.0.0.1", server.sockets[0].getsockname()[1])
        link = HttpLink(name="it", base=base, timeout_s=5, clock=HandClock())
        await asyncio.gather(*(link.ask("GET", "/x") for _ in range(5)))
        await link.close()
        server.close()

        assert most == 1

    asyncio.run(run())


def test_credentials_are_in_no_representation():
    assert "hunter2" not in repr(FixedHeaders(values={"Auth-Token": "hunter2"}))


@pytest.mark.parametrize(
    ("value", "pause_s"),
    [
        (None, None),
        ("30", 30.0),
        ("-1", 0.0),
        ("1e12", 60.0),
        ("nan", None),
        ("soon", None),
        ("Mon, 01 Jun 2026 12:00:45 GMT", 45.0),
        ("Mon, 01 Jun 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, pause_s):
    assert retry_after_s(value, NOON) == pause_s


@pytest.mark.parametrize(
    ("host", "port"), [("", 80), ("a b", 80), ("me@host", 80), ("host/path", 80), ("host", 0)]
)
def test_what_is_no_host_is_no_address(host, port):
    with pytest.raises(ValueError, match="are no address"):
        base_url(host, port)


def test_an_address_of_version_6_gets_its_brackets():
    assert base_url("fe80::1", 80) == "http://[fe80::1]:80"


@pytest.mark.parametrize("base", ["ftp://x", "http://", "http://[::1", "x"])
def test_a_link_to_no_address_is_a_setting_to_mend(base):
    with pytest.raises(DeviceConfigError, match="is no address"):
        HttpLink(name="it", base=base, timeout_s=1, clock=HandClock())
