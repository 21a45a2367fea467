"""The homes of a run from day to day, in shards: what a season knows of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final, Self

import numpy as np

from contracts.chain import TimeMachine
from devices.arrays import FloatArray
from hems.controller import Controller
from scenarios.data.fleet_data import FleetData
from scenarios.simulation.closed_loop import ClosedLoop
from scenarios.simulation.day_record import DayRecord
from scenarios.simulation.day_source import HISTORY_DAYS, DaySource
from scenarios.simulation.exchange import LoopLedger
from scenarios.simulation.fleet import Fleet, Rules
from scenarios.simulation.fleet_minutes import Watching, minute_columns
from scenarios.simulation.fleet_state import ContractSide, HomesState
from scenarios.simulation.half_hours import HalfHours
from scenarios.simulation.shards import LOCAL, Engine, parts_of, shard_homes
from scenarios.simulation.trace import DayOutcome

HALF_HOURS: Final = "half-hours"
FLEET: Final = "fleet"


class FleetHomes:
    """All homes of a run.

    Parameters
    ----------
    source : DaySource
        Their load and production, and what surrounds them.
    fleet : Fleet
        Their batteries, connections and accounts.
    rules : Rules
        Cycles and what goes wrong.
    controller : Controller
        Decides for them, each by itself: where a home's neighbours change its decision, results
        depend on the shards.
    watch : Sequence[int]
        Numbers of the homes whose minutes are kept, of those that there are.
    engine : Engine
        Puts the shards somewhere.
    shards : int, optional
        How many; without, as many as suit the fleet's size.
    """

    def __init__(
        self,
        *,
        source: DaySource,
        fleet: Fleet,
        rules: Rules,
        controller: Controller,
        watch: Sequence[int] = (),
        engine: Engine = LOCAL,
        shards: int | None = None,
    ) -> None:
        self._source, self._fleet, self._rules = source, fleet, rules
        self._parts = parts_of(fleet.homes, shards, workers=engine.workers)
        self._shards = engine(
            shard_homes(
                self._parts,
                fleet=fleet,
                rules=rules,
                controller=controller,
                source=source,
                recorders={HALF_HOURS: HalfHours, FLEET: Watching(tuple(watch))},
            )
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the shards."""
        self._shards.close()

    def first(self, day: date, stored_wh: FloatArray) -> FleetData:
        """Prepare the first day, with what homes remember of the days before it.

        Parameters
        ----------
        day : date
            Local market day.
        stored_wh : FloatArray, shape (homes,)
            Energy in the cells at its beginning. [Wh]

        Returns
        -------
        FleetData
            As from `ahead`.
        """
        data = self._prepared(day, HISTORY_DAYS)
        self._shards.each("start", [stored_wh[part.start : part.stop] for part in self._parts])
        return data

    def ahead(self, day: date) -> FleetData:
        """Prepare the next day.

        Returns
        -------
        FleetData
            Its plant and prices, and as its only home the fleet together: the sums of all homes.
        """
        return self._prepared(day, 0)

    def _prepared(self, day: date, history_days: int) -> FleetData:
        data = self._source.surroundings(day, history_days=history_days)
        every = len(self._parts)
        self._shards.each(
            "prepare", [day] * every, [data.market_grid.count] * every, [history_days] * every
        )
        load_w = pv_w = np.zeros(data.minute_grid.count)
        for number in range(every):
            load_w, pv_w = self._shards.one(number, "total", load_w, pv_w)
        return replace(data, load_w=load_w[np.newaxis], pv_w=pv_w[np.newaxis])

    def restore(self, state: HomesState) -> None:
        """Go on where homes stood between two days."""
        self._shards.each(
            "restore", [state.part(slice(part.start, part.stop)) for part in self._parts]
        )

    def state(self) -> HomesState:
        """Return where they stand between two days."""
        return HomesState.joined(self._shards.each("state"))

    def loop(
        self,
        data: FleetData,
        *,
        ledger: LoopLedger | None,
        clock: TimeMachine | None,
        state: ContractSide,
    ) -> ClosedLoop:
        """Return the prepared day, ready to be lived through; see `ClosedLoop`."""
        return ClosedLoop(
            shards=self._shards,
            data=data,
            fleet=self._fleet,
            rules=self._rules,
            ledger=ledger,
            clock=clock,
            ledger_grid=data.market_grid,
            state=state,
        )

    def record(self, outcome: DayOutcome) -> DayRecord:
        """Return, once, what is left of the day that was lived through."""
        every = len(self._parts)
        return DayRecord(
            outcome=outcome,
            parts=tuple(self._shards.each("kept", [HALF_HOURS] * every)),
            minutes=minute_columns(self._shards.each("kept", [FLEET] * every)),
        )
