"""A gateway that is killed, as a process, at every step of a report and at any moment."""

import json
import os
import signal
import subprocess
import sys
import time

CHILD = """
import asyncio, json, pathlib, sys, threading, time
from datetime import UTC, datetime
from devices.battery import BatteryState, MeterState
from devices.clock import SystemClock
from hems.agent.ledger.books import Books
from hems.agent.health import Health
from hems.agent.ledger.account import LedgerAccount
from hems.agent.ledger.settings import LedgerSettings
from hems.agent.reading import Reading
from hems.agent.ledger.report_log import ReportLog
from hems.agent.store import Store

told, begun_s = json.loads(sys.argv[1]), float(sys.argv[2])
stop_at, folder = sys.argv[3], pathlib.Path(sys.argv[4])
paths = {k: pathlib.Path(told[k]) for k in ("deployment_file", "keys", "passphrase_file")}
settings = LedgerSettings(**{**told, **paths})


def stopping(kind, name, when):
    inner = getattr(kind, name)

    def outer(*args, **given):
        if stop_at == f"before {when}":
            print("there", flush=True)
            threading.Event().wait()
        found = inner(*args, **given)
        if stop_at == f"after {when}":
            print("there", flush=True)
            threading.Event().wait()
        return found

    setattr(kind, name, outer)


stopping(ReportLog, "add", "writing")
stopping(LedgerAccount, "send", "sending")
stopping(ReportLog, "see", "looking")


async def main():
    books = Books(
        settings,
        store=Store(folder / "state.sqlite"),
        health=Health(lambda line: None),
        clock=SystemClock(),
    )

    async def read():
        while True:
            meter = MeterState(
                load_w=0, pv_w=0, grid_power_w=0, import_wh=5e3,
                export_wh=10_000.0 + int(1000 * (time.time() - begun_s)),
            )
            battery = BatteryState(soc=0.5, battery_power_w=0.0, following=True)
            books.add(Reading(utc=datetime.now(UTC), monotonic_s=time.monotonic(), meter=meter,
                              battery=battery))
            await asyncio.sleep(0.005)

    reading = asyncio.create_task(read())
    while True:
        await books.report()
        if stop_at == "anywhere":
            print("there", flush=True)
        await asyncio.sleep(0.001)


asyncio.run(main())
"""

POINTS = ["before writing", "after writing", "after sending", "after looking"]


def test_a_gateway_killed_at_any_moment_counts_each_watt_hour_once(gateway):
    told = {
        each: str(getattr(gateway.settings, each))
        for each in ("deployment_file", "account", "keys", "passphrase_file", "url")
    }
    told |= {"schedule_ahead_h": 1, "meter_max_w": 1e12}
    gateway.open()
    begun_s = time.time()
    gateway.export(0)
    gateway.settle()
    for place, point in enumerate([*POINTS, *["anywhere"] * 2]):
        command = [sys.executable, "-c", CHILD, json.dumps(told), str(begun_s), point]
        with subprocess.Popen([*command, str(gateway.folder)], stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"there\n"
            if point == "anywhere":
                time.sleep(0.013 * place)
            os.kill(child.pid, signal.SIGKILL)
    gateway.open()
    gateway.export_wh = 10_000.0 + int(1000 * (time.time() - begun_s))
    gateway.export(0)
    gateway.settle()
    gateway.settle()

    assert gateway.counted() == gateway.export_wh - 10_000.0
    assert gateway.lines == []
