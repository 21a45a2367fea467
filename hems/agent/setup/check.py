"""Reach everything that a configuration names, and say in one line each what is wrong."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from devices.clock import Clock
from devices.commands.shown import line_of
from devices.errors import DeviceError
from devices.feeds.settings import PriceSettings, price_book
from devices.write_log import WriteLog
from hems.agent.config import AgentConfig
from hems.agent.lock import running_pid
from hems.agent.mqtt.settings import CourierSettings
from hems.agent.settings import EDGE_CONTROLLERS
from hems.agent.steering.equipment import BRANCHES, Equipment
from hems.errors import ControlError

REACH_S: Final = 30.0
"""How long anything may take to answer. [s]"""
ROOM_BYTES: Final = 200_000_000
"""Room that a state folder needs: a day without the broker, and SQLite's log."""
CLOSE_SHARE: Final = 0.05
"""By which share a rating may differ from what the device tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one thing."""

    thing: str
    """What was looked at."""
    ok: bool
    """Whether it will do."""
    line: str
    """What it is, or what is wrong with the remedy."""


class WrongError(Exception):
    """Something is not as it has to be; its text says what, and the remedy."""


async def check(config: AgentConfig, *, clock: Clock) -> list[Finding]:
    """Return what was found of everything that a gateway needs; nothing is changed.

    Parameters
    ----------
    config : AgentConfig
        The home.
    clock : Clock
        The time.
    """
    equipment = Equipment(config.places, clock=clock, log=WriteLog(), read_only=True)
    folder = config.home.state_folder
    findings = [await _found("state folder", lambda: asyncio.to_thread(_folder, folder))]
    try:
        findings.append(await _found("battery", lambda: _battery(config, equipment)))
        findings.append(await _found("meter", lambda: _meter(equipment)))
        findings += [
            await _found(name, partial(_branch, equipment, name))
            for name in BRANCHES
            if getattr(config.places, name) is not None
        ]
        if config.relay is not None:
            findings.append(await _found("relay", lambda: _relay(config, equipment)))
    finally:
        with suppress(DeviceError):
            await equipment.close()
    if config.prices is not None:
        prices = config.prices
        findings.append(await _found("prices", lambda: _prices(config, prices, clock)))
    if config.ledger is not None:
        from hems.agent.setup.check_ledger import check_ledger  # noqa: PLC0415 -- loads web3

        findings += await check_ledger(config, clock=clock)
    if config.courier is not None:
        courier = config.courier
        findings.append(await _found("broker", lambda: _broker(config, courier, clock)))
    return findings


async def _found(thing: str, look: Callable[[], Awaitable[str]]) -> Finding:
    """Return what ``look`` says, or what it is wrong with."""
    try:
        async with asyncio.timeout(REACH_S):
            return Finding(thing=thing, ok=True, line=await look())
    except TimeoutError:
        return Finding(thing=thing, ok=False, line=f"no answer within {REACH_S:g} s; see to it")
    except (WrongError, DeviceError, ControlError, OSError) as error:
        return Finding(thing=thing, ok=False, line=" ".join(str(error).split()))


def _folder(folder: Path) -> str:
    """Look whether what is remembered can be written, and by nobody else just now."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        msg = f"{folder}: {there} cannot be written; give it to the agent's user"
        raise WrongError(msg)
    free_bytes = shutil.disk_usage(there).free
    if free_bytes < ROOM_BYTES:
        msg = f"{folder}: {free_bytes / 1e6:.0f} MB free; make room for {ROOM_BYTES / 1e6:.0f} MB"
        raise WrongError(msg)
    pid = running_pid(folder)
    runs = "" if pid is None else f"; an agent runs there now (process {pid})"
    return f"{folder} can be written, {free_bytes / 1e9:.1f} GB free{runs}"


async def _battery(config: AgentConfig, equipment: Equipment) -> str:
    """Look whether the battery answers and is the one that the ratings describe."""
    battery = await equipment.battery()
    state = await battery.read()
    await equipment.ask_limits()
    told, storage = equipment.limits, config.storage
    if told is None:
        return f"{line_of(state)}; tells no ratings"
    rated_w = max(told.charge_max_w, told.discharge_max_w)
    if storage.power_max_w > rated_w * (1 + CLOSE_SHARE):
        msg = (
            f"[storage] power_max_w is {storage.power_max_w:g}, the battery says {rated_w:g} W; "
            "correct it"
        )
        raise WrongError(msg)
    if told.capacity_wh is not None and _far(storage.capacity_wh, told.capacity_wh):
        msg = (
            f"[storage] capacity_wh is {storage.capacity_wh:g}, the battery says "
            f"{told.capacity_wh:g} Wh; correct it"
        )
        raise WrongError(msg)
    return f"{line_of(state)}; up to {rated_w:.0f} W"


async def _meter(equipment: Equipment) -> str:
    return line_of(await equipment.meter())


async def _branch(equipment: Equipment, name: str) -> str:
    return line_of(await equipment.branch(name))


async def _relay(config: AgentConfig, equipment: Equipment) -> str:
    """Look whether there is a relay to open, and a controller that asks for it."""
    state = await (await equipment.relay()).read_relay()
    if config.controller.kind not in EDGE_CONTROLLERS:
        msg = f"[controller] {config.controller.kind!r} never opens a relay; take [relay] out"
        raise WrongError(msg)
    return "closed, the house is on the grid" if state.closed else "open: the house is an island"


async def _prices(config: AgentConfig, settings: PriceSettings, clock: Clock) -> str:
    """Look whether today's prices are there; nothing is kept."""
    book = price_book(settings, clock=clock, cache=None)
    told = await book.refresh()
    await book.close()
    if told.error is not None:
        raise WrongError(told.error)
    known, tariff = book.at(clock.utc()), config.tariff.fixed
    if known is None:
        msg = (
            f"{book.name}: no price for now, nor of {settings.days_back} days before; see [prices]"
        )
        raise WrongError(msg)
    retail = tariff.import_factor * known.price_per_mwh + tariff.import_add_per_mwh
    return (
        f"{book.name}: {known.price_per_mwh:.2f} {book.series.currency}/MWh ({known.origin}), "
        f"{retail:.2f} to the home; known until {book.series.end:%Y-%m-%d %H:%M} UTC"
    )


async def _broker(config: AgentConfig, courier: CourierSettings, clock: Clock) -> str:
    from hems.agent.mqtt.link import reach  # noqa: PLC0415 -- loads paho

    speaks = await reach(courier.broker, device_id=config.home.device_id, clock=clock)
    safe = "over TLS" if courier.broker.tls else "in the clear: set tls = true outside the house"
    return f"{courier.broker.host}:{courier.broker.port_used} lets us in, {speaks}, {safe}"


def _far(configured: float, told: float) -> bool:
    return abs(configured - told) > CLOSE_SHARE * told
