"""Server-sent events over real sockets."""

import socket
import time

import httpx
import pytest
from sqlalchemy import update

from aggregator.service.rest.live import LiveValues
from aggregator.service.store.tables import homes_now

WAIT_S = 60.0
LATER_MS = 1_780_315_320_000
"""So long after the homes were heard that no look has anything to tell of them."""


def events(lines, count):
    """Read so many events off a stream's lines."""
    found, event = [], {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif event:
            found.append((event.get("event"), event.get("id"), event.get("data")))
            event = {}
            if len(found) == count:
                return found
    return found


def read(answer, count):
    return events(answer.iter_lines(), count)


@pytest.fixture
def fresh(serving, new_parts, populate):
    parts = new_parts(clock_ms=lambda: LATER_MS)
    secrets, _ = populate(parts)
    with serving(parts) as url:
        yield url, parts, secrets


@pytest.fixture
def stream(fresh):
    url, _, secrets = fresh
    client = httpx.Client(base_url=url, timeout=WAIT_S, verify=False)

    def watch(path="/api/events", who="viewer", last_id=None):
        headers = {"Authorization": f"Bearer {secrets[who]}"}
        if last_id is not None:
            headers["Last-Event-ID"] = last_id
        return client.stream("GET", path, headers=headers)

    with client:
        yield watch


def test_a_client_that_comes_back_goes_on_where_it_was(fresh, stream):
    _, parts, _ = fresh
    with stream() as answer:
        parts.hub.publish("alarm", {"n": 1})
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert read(answer, 2) == [
            ("hello", "run-0", "{}"),
            ("alarm", "run-1", '{"n":1}'),
        ]
    parts.hub.publish("alarm", {"n": 2})

    with stream(last_id="run-1") as answer:
        assert read(answer, 2) == [
            ("hello", "run-1", "{}"),
            ("alarm", "run-2", '{"n":2}'),
        ]
    with stream(last_id="earlier-7") as answer:
        assert read(answer, 1) == [("reset", "run-2", "{}")]


def test_a_home_is_told_of_itself_alone(fresh, stream):
    _, parts, _ = fresh
    with stream("/api/homes/home-1/events", "home-1") as answer:
        parts.hub.publish("values", {"all": 1}, {"home-2": {"of": 2}})
        parts.hub.publish("values", {"all": 2}, {"home-1": {"of": 1}, "home-2": {"of": 2}})

        assert read(answer, 2) == [
            ("hello", "run-0", "{}"),
            ("values", "run-2", '{"of":1}'),
        ]


def test_what_changes_in_the_store_is_told(fresh, stream):
    _, parts, _ = fresh
    now_ms = parts.clock_ms()
    with stream("/api/homes/home-2/events", "home-2") as answer:
        lines = answer.iter_lines()
        assert events(lines, 1) == [("hello", "run-0", "{}")]
        with parts.store.write() as connection:
            connection.execute(update(homes_now).values(heard_ms=now_ms + 5, soc=0.25))

        # the first look may have been before it
        told = ""
        while '"soc":0.25' not in told:
            told = events(lines, 1)[0][2]

    assert told == (
        f'{{"online":true,"heard_ms":{now_ms + 5},"soc":0.25,"battery_power_w":-700.4,'
        '"load_w":500.0,"pv_w":100.0,"grid_power_w":-300.4}'
    )


def test_a_look_tells_each_change_once(new_parts, populate):
    parts = new_parts()
    populate(parts)
    live = LiveValues(parts.store, parts.hub, parts.clock_ms)

    counts = [live.look(), live.look()]
    with parts.store.write() as connection:
        connection.execute(update(homes_now).values(online=False, status_ms=parts.clock_ms() + 1))
    counts += [live.look(), live.look()]

    assert counts == [1, 0, 1, 0]


def test_a_client_that_does_not_read_is_let_go(fresh):
    url, parts, secrets = fresh
    host, _, port = url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=WAIT_S) as idle:
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = (
            f"GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secrets['viewer']}\r\n"
        )
        idle.sendall(f"{head}\r\n".encode())
        assert b"200 OK" in idle.recv(100)

        deadline_s = time.monotonic() + WAIT_S
        while parts.hub.let_go == 0:
            parts.hub.publish("values", {"much": "x" * 100_000})
            assert time.monotonic() < deadline_s
            time.sleep(0.001)

    assert (parts.hub.let_go, parts.hub.watching) == (1, 0)


def test_no_more_watch_than_there_is_room_for(serving, new_parts, populate):
    parts = new_parts()
    secrets, _ = populate(parts)
    parts.hub.most = 0
    with serving(parts) as url:
        headers = {"Authorization": f"Bearer {secrets['viewer']}"}
        answer = httpx.get(f"{url}/api/events", headers=headers, verify=False)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert answer.json()["detail"] == (
        "0 clients watch already, or 100 with this token; try again later"
    )


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_a_stream_ends_with_the_token_that_it_was_asked_for_with(serving, new_parts, populate, end):
    now_ms = [LATER_MS]
    parts = new_parts(clock_ms=lambda: now_ms[0])
    populate(parts)
    expires_ms = now_ms[0] + 1000
    token, secret = parts.tokens.make(
        "page", "viewer", who="test", at_ms=now_ms[0], expires_ms=expires_ms
    )
    headers = {"Authorization": f"Bearer {secret}"}
    with (
        serving(parts) as url,
        httpx.Client(base_url=url, timeout=WAIT_S, verify=False) as client,
        client.stream("GET", "/api/events", headers=headers) as answer,
    ):
        lines = answer.iter_lines()
        assert events(lines, 1)[0][0] == "hello"
        if end == "expired":
            now_ms[0] = expires_ms
        else:
            parts.tokens.revoke(token.id, who="test", at_ms=now_ms[0])

        assert [line for line in lines if line.startswith("event")] == []
        assert parts.hub.watching == 0
        assert client.get("/api/events", headers=headers).status_code == 401
