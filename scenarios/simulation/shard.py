"""Homes that live together: their data, batteries, forecasts, decisions and meters.

The homes of a fleet live in shards, in one process or in many. They meet only in the exchange with
the contract (`scenarios.simulation.correspondence`), so it does not matter where a shard is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from devices.arrays import FloatArray
from scenarios.data.fleet_data import MINUTE_S
from scenarios.simulation.correspondence import Heard, Said
from scenarios.simulation.fleet_state import HomesState
from scenarios.simulation.home_day import Decided, Equipment, HomeDay, Morning, Orders
from scenarios.simulation.prepared_day import MinuteSource, PreparedDay
from scenarios.simulation.recorders import Maker, Recorder, Setting

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardHomes:
    """Who lives in a shard, and how: what a worker process is given."""

    part: range
    """Numbers of the homes in their fleet."""
    equipment: Equipment
    """What they have."""
    source: MinuteSource
    """Their load and production."""
    recorders: Mapping[str, Maker]
    """Who keeps what of a day, by name."""


class Shard:
    """Some homes of a fleet, day after day: prepare, begin, advance, finish.

    Parameters
    ----------
    homes : ShardHomes
        Who lives here.
    """

    def __init__(self, homes: ShardHomes) -> None:
        self._homes = homes
        self._per_slot = homes.equipment.rules.interval_s // MINUTE_S
        self._ahead: PreparedDay | None = None
        self._today: PreparedDay | None = None
        self._day: HomeDay | None = None
        self._state: HomesState | None = None
        self._recorders: dict[str, Recorder] = {}

    def prepare(self, day: date, slots: int, history_days: int) -> None:
        """Get the minutes of a market day of ``slots`` intervals."""
        if self._ahead is not None:
            self._ahead.close()
        self._ahead = PreparedDay(
            self._homes.source,
            self._homes.part,
            day,
            slots=slots,
            per_slot=self._per_slot,
            history_days=history_days,
        )

    def total(self, load_w: FloatArray, pv_w: FloatArray) -> tuple[FloatArray, FloatArray]:
        """See `scenarios.simulation.prepared_day.PreparedDay.total`."""
        return _there(self._ahead).total(load_w, pv_w)

    def start(self, stored_wh: FloatArray) -> None:
        """Begin with batteries as given, and the past that the prepared day came with. [Wh]"""
        self._state = HomesState.fresh(stored_wh=stored_wh, past=_there(self._ahead).past)

    def restore(self, state: HomesState) -> None:
        """Go on where the homes stood."""
        # Its own copy: what came from another process cannot be written to.
        self._state = state.part(slice(None))

    def begin(self, morning: Morning) -> None:
        """Let the prepared day begin."""
        homes, today = self._homes, _there(self._ahead)
        self._ahead, self._today = None, today
        setting = Setting(
            part=homes.part, bank=homes.equipment.bank, slots=today.slots, per_slot=self._per_slot
        )
        self._recorders = {name: make(setting) for name, make in homes.recorders.items()}
        self._day = HomeDay(
            equipment=homes.equipment,
            state=_there(self._state),
            today=today,
            morning=morning,
            recorders=self._recorders.values(),
        )

    def advance(self, orders: Orders) -> Said | None:
        """See `scenarios.simulation.home_day.HomeDay.advance`."""
        return _there(self._day).advance(orders)

    def finish(self, heard: Heard | None) -> Decided:
        """See `scenarios.simulation.home_day.HomeDay.finish`."""
        decided = _there(self._day).finish(heard)
        self._day = None
        _there(self._today).close()
        self._today = None
        return decided

    def kept(self, name: str) -> Recorder:
        """Hand over, once, what a recorder kept of the day."""
        return self._recorders.pop(name)

    def stored_wh(self) -> FloatArray:
        """Return the energy in the cells now, shape (homes,). [Wh]"""
        return _there(self._state).stored_wh

    def state(self) -> HomesState:
        """Return where the homes stand."""
        return _there(self._state)

    def close(self) -> None:
        """Let go of files."""
        for day in (self._ahead, self._today):
            if day is not None:
                day.close()


def _there(thing: Thing | None) -> Thing:
    """Return what an earlier step left."""
    if thing is None:
        msg = "a shard's steps are out of order: prepare, start or restore, begin, advance, finish"
        raise RuntimeError(msg)
    return thing
