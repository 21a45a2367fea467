"""The REST interface among the service's parts."""

import asyncio
import re
import socket
import time

import httpx
import pytest

from aggregator.service.errors import ServiceConfigError
from aggregator.service.first_start import prepared_store
from aggregator.service.rest.part import RestPart
from aggregator.service.serve import House
from aggregator.service.settings import read_service
from devices.clock import SystemClock


@pytest.fixture
def house(tmp_path):
    def make(text):
        path = tmp_path / "service.toml"
        path.write_text(text)
        settings = read_service(path, folder=tmp_path / "service", known=("rest",))
        clock, lines = SystemClock(), []
        store = prepared_store(settings, clock=clock, tell=lambda _: None)
        stores.append(store)
        return House(settings=settings, store=store, clock=clock, tell=lines.append), lines

    stores = []
    yield make
    for store in stores:
        store.close()


def test_it_listens_where_the_file_says_and_stops(house):
    made, lines = house("[rest]\nport = 0\n")
    part = RestPart(made)

    async def story():
        await part.start()
        url = lines[0].removeprefix("requests at ")
        async with httpx.AsyncClient(base_url=url, verify=False) as client:
            answer = await client.get("/ready")
        part.check()
        await part.stop()
        return answer

    answer = asyncio.run(story())

    assert answer.json() == {"ready": True, "parts": {"store": "ok"}}
    assert "server" not in answer.headers


def test_answers_on_one_connection_do_not_wait_for_acknowledgements(house):
    made, lines = house("[rest]\nport = 0\n")
    part = RestPart(made)

    async def story():
        await part.start()
        url = lines[0].removeprefix("requests at ")
        began_s = time.monotonic()
        async with httpx.AsyncClient(base_url=url, verify=False) as client:
            for _ in range(200):
                (await client.get("/health")).raise_for_status()
        took_s = time.monotonic() - began_s
        await part.stop()
        return took_s

    # 40 ms each would be 8 s; without it is a third of a second
    assert asyncio.run(story()) < 6.5


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /heal",
        b"PUT /api/homes/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
        b"Authorization: Bearer %s\r\n\r\n{",
    ],
)
def test_who_begins_a_request_and_does_not_end_it_is_let_go(house, begun):
    made, lines = house("[rest]\nport = 0\n")
    part = RestPart(made)
    part.patience.most_s = 0.1
    _, secret = part.parts.tokens.make("a", "operator", who="test", at_ms=made.now_ms())

    async def story():
        await part.start()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(lines[0].rpartition(":")[2])
        )
        writer.write(begun.replace(b"%s", secret.encode()))
        try:
            async with asyncio.timeout(60):
                said = await reader.read()
        except ConnectionResetError:
            said = b""
        writer.close()
        await part.stop()
        return said

    assert asyncio.run(story()) == b""
    assert part.patience.let_go == 1


def test_requests_in_one_piece_are_answered_in_their_order(house):
    made, lines = house("[rest]\nport = 0\n")
    part = RestPart(made)
    part.patience.most_s = 0.1

    async def story():
        await part.start()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(lines[0].rpartition(":")[2])
        )
        heads = (b"GET /health HTTP/1.1\r\nHost: x\r\n", b"GET /api/me HTTP/1.1\r\nHost: x\r\n")
        writer.write(b"\r\n".join((*heads, b"GET /health HTTP/1.1\r\nHost: x\r\n"))[:-2])
        writer.write(b"\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(60):
            said = await reader.read()
        writer.close()
        await part.stop()
        return said

    said = asyncio.run(story())

    assert re.findall(rb"HTTP/1.1 (\d+)", said) == [b"200", b"401", b"200"]
    assert part.patience.let_go == 0


def test_a_port_that_is_taken_is_one_line(house):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        made, _ = house(f"[rest]\nport = {port}\n")

        with pytest.raises(ServiceConfigError, match=rf"^\[rest\] 127.0.0.1:{port} cannot be "):
            asyncio.run(RestPart(made).start())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("port = 70000", "port is 70000; give 0..65535"),
        ('cert_file = "x.pem"', "cert_file and key_file go together"),
        ('home_limit = "often"', "home_limit is 'often'; give one such as '600/minute'"),
    ],
)
def test_a_setting_that_cannot_be_is_named(house, line, says):
    made, _ = house(f"[rest]\n{line}\n")

    with pytest.raises(ServiceConfigError, match=says):
        RestPart(made)
