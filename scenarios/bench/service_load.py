"""The load of a fleet, in a process of its own: ``python -m scenarios.bench.service_load``.

Tells ``ready`` once all gateways are connected, begins when it reads a line, and ends with a line
of JSON.
"""

import asyncio
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

import msgspec
from msgspec import json

from scenarios.bench.service_gateways import Gateway, Tally

PERIOD_S: Final = 60.0
"""What a gateway's message covers. [s]"""
_CONNECTING: Final = 200
"""Gateways that connect at the same time: more would be cut off at the listener's queue."""
_TICK_S: Final = 0.01
_ROWS: Final = (
    ("storage", "", "Active power", "delivered", "W", 540.0),
    ("storage", "", "State of charge", None, "%", 51.5),
    ("storage", "", "Frequency", None, "Hz", 50.01),
    *(("storage", phase, "Phase voltage", None, "V", 231.5) for phase in ("L1", "L2", "L3")),
    ("storage", "", "Reactive power", "absorbed", "var", 12.0),
    ("meter", "consumption", "Active power", "absorbed", "W", 412.0),
    ("meter", "production", "Active power", "delivered", "W", 1312.5),
    ("meter", "grid", "Active power", "delivered", "W", 1440.5),
)
ROWS: Final = len(_ROWS)
"""Rows of a message, as a gateway with one inverter sends them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked of the load."""

    port: int
    """The broker's."""
    gateways: int
    """How many are connected at once."""
    messages_per_s: float
    """Messages of all of them together. [1/s]"""
    seconds: float
    """How long. [s]"""
    receipt_each: int = 10
    """Each how many messages one asks for the service's receipt."""
    root: str = "gridpact"
    """First levels of topics."""
    again_s: float = 10.0
    """See `Gateway`. [s]"""
    drain_s: float = 60.0
    """How long the last messages may take until they need not be kept. [s]"""


def payload(gateway: str, name: str, end_s: float, *, receipt: bool) -> bytes:
    """Return a message as a gateway writes it (docs/mqtt.md)."""
    rows = [
        {
            "timestamp": end_s,
            "device": device,
            "details": details,
            "quantity": quantity,
            "direction": direction,
            "unit": unit,
            "min": value - 1.25,
            "max": value + 3.5,
            "avg": value + 0.3,
            "last": value,
        }
        for device, details, quantity, direction, unit, value in _ROWS
    ]
    body = {
        "id": name,
        "timestamp": end_s,
        "device": gateway,
        "period_s": PERIOD_S,
        "dropped": 0,
        "rows": rows,
        "expires": end_s + 604_800.0,
    }
    if receipt:
        body["receipt"] = True
    return json.encode(body)


class Writer:
    """Writes messages quickly: only the id, the gateway and the time differ."""

    def __init__(self) -> None:
        marks = payload("@device@", "@id@", 123456789.5, receipt=False).decode()
        self._template = marks.replace("123456789.5", "@time@")

    def write(self, gateway: str, name: str, end_s: float, *, receipt: bool) -> bytes:
        """Return a message."""
        text = self._template.replace("@device@", gateway, 1).replace("@id@", name, 1)
        text = text.replace("@time@", f"{end_s:.3f}")
        return (text[:-1] + ',"receipt":true}' if receipt else text).encode()


async def run(load: Load) -> Tally:
    """Connect all gateways, wait for a line on stdin, send, and return what they saw."""
    tally = Tally()
    fleet = [
        Gateway(f"home-{number}", root=load.root, tally=tally, again_s=load.again_s)
        for number in range(load.gateways)
    ]
    keeping = await _connected(fleet, load)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    began_s = time.perf_counter()
    await _send(fleet, load)
    with suppress(TimeoutError):  # what is kept then was lost, or nearly so
        async with asyncio.timeout(load.drain_s):
            while tally.done < tally.sent:  # noqa: ASYNC110 -- an event a message would cost too much
                await asyncio.sleep(0.05)
    tally.took_s = time.perf_counter() - began_s
    for task in keeping:
        task.cancel()
    await asyncio.gather(*keeping, return_exceptions=True)
    for gateway in fleet:
        gateway.close()
    return tally


async def _connected(fleet: list[Gateway], load: Load) -> list["asyncio.Task[None]"]:
    keeping = []
    for first in range(0, len(fleet), _CONNECTING):
        some = fleet[first : first + _CONNECTING]
        keeping += [
            asyncio.create_task(each.stay(load.port, listens=load.receipt_each > 0))
            for each in some
        ]
        async with asyncio.timeout(60):
            await asyncio.gather(*(each.ready.wait() for each in some))
    return keeping


async def _send(fleet: list[Gateway], load: Load) -> None:
    """Send at an even pace, each gateway in its turn; the ends of periods are a minute apart."""
    writer = Writer()
    began_s, first_end_s = time.perf_counter(), time.time() - 86_400.0
    whole = round(load.messages_per_s * load.seconds)
    sent = 0
    while sent < whole:
        due = min(whole, round((time.perf_counter() - began_s) * load.messages_per_s))
        for number in range(sent, due):
            turn, place = divmod(number, len(fleet))
            receipt = load.receipt_each > 0 and number % load.receipt_each == 0
            gateway, name = fleet[place], f"load-{number}"
            end_s = first_end_s + turn * PERIOD_S
            body = writer.write(gateway.name, name, end_s, receipt=receipt)
            gateway.tell(name, body, receipt=receipt)
        sent = max(sent, due)
        await asyncio.sleep(_TICK_S)


def main() -> None:
    """Run what the argument, a JSON object, asks for."""
    load = msgspec.json.decode(sys.argv[1].encode(), type=Load)
    tally = asyncio.run(run(load))
    sys.stdout.write(json.encode(asdict(tally)).decode() + "\n")


if __name__ == "__main__":
    main()
