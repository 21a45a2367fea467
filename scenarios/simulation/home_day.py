"""Some homes on one day: they see, decide, follow, and their meters count."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from contracts.promise import Schedule
from devices.arrays import BoolArray, FloatArray
from devices.battery_bank import BatteryBank
from hems.controller import Controller, Decision, Observation
from hems.forecast import QUARTER_S, LinearForecaster
from hems.see import blocks_ahead_s, expected_w
from scenarios.data.fleet_data import MINUTE_S
from scenarios.simulation.correspondence import Correspondence, Heard, Said
from scenarios.simulation.day_prices import knowing
from scenarios.simulation.fleet import Rules
from scenarios.simulation.fleet_state import HomesState
from scenarios.simulation.islands import live_minute
from scenarios.simulation.past import Past
from scenarios.simulation.prepared_day import PreparedDay
from scenarios.simulation.recorders import Lived, Recorder


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """What homes are told when a day begins."""

    import_price_per_mwh: FloatArray
    """Retail price, shape (slots,). [currency/MWh]"""
    export_price_per_mwh: FloatArray
    """Day-ahead price, shape (slots,). [currency/MWh]"""
    schedule: Schedule | None
    """What was published; None where nothing is promised."""
    plant_power_w: float
    """The plant's mean export between its last two reports. [W]"""
    offline: BoolArray
    """Which of the homes have no connection today, shape (homes,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What homes hear, how far they live, and whether they report then."""

    heard: Heard | None
    """What came back of an exchange, if anything did."""
    schedule: Schedule | None
    """What is published now."""
    until: int
    """Minute to live up to."""
    silent: BoolArray | None
    """Whose report then does not go out, shape (homes,); None where none is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """How homes decided over a day."""

    decisions: int
    """Decisions of all homes."""
    proved: int
    """Those that were proved optimal."""
    cap_excess_wh: FloatArray
    """Energy by which decided plans exceeded grid caps, shape (homes,). [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What homes have, and how they go about it."""

    bank: BatteryBank
    """Batteries."""
    connection_w: FloatArray
    """Grid connections, shape (homes,). [W]"""
    rules: Rules
    """Cycles and limits."""
    controller: Controller
    """Decides for them."""


class HomeDay:
    """One day of some homes.

    Parameters
    ----------
    equipment : Equipment
        What they have.
    state : HomesState
        Where they stand; changed as the day goes on.
    today : PreparedDay
        Their minutes.
    morning : Morning
        What they are told at its beginning.
    recorders : Collection[Recorder]
        Who is shown each market interval.
    """

    def __init__(
        self,
        *,
        equipment: Equipment,
        state: HomesState,
        today: PreparedDay,
        morning: Morning,
        recorders: Collection[Recorder],
    ) -> None:
        self._equipment, self._rules = equipment, equipment.rules
        self._state, self._today, self._morning = state, today, morning
        self._recorders = recorders
        self._controller = knowing(equipment.controller, morning.import_price_per_mwh)
        self._forecaster = LinearForecaster()
        self._load, self._pv = today.measured(state.past)
        # They hold it until the day is over: a city has no room for it twice.
        state.past = Past.none(morning.offline.shape[0])
        self._correspondence = Correspondence(
            state=state,
            capacity_wh=equipment.bank.capacity_wh,
            rules=equipment.rules,
            offline=morning.offline,
            schedule=morning.schedule,
            plant_power_w=morning.plant_power_w,
        )
        self._minute, self._decision = 0, _idle(morning.offline.shape[0])
        self._expected: tuple[FloatArray, FloatArray] = (np.empty(0), np.empty(0))
        self._decisions = self._proved = 0
        self._cap_excess_wh = np.zeros(morning.offline.shape)
        self._slot = _Slot(equipment.rules.interval_s // MINUTE_S, morning.offline.shape[0])

    def advance(self, orders: Orders) -> Said | None:
        """Live up to a minute, then make the reports that are due."""
        correspondence, rules = self._correspondence, self._rules
        correspondence.schedule = orders.schedule
        if orders.until > self._minute and self._minute * MINUTE_S % rules.interval_s == 0:
            correspondence.begin_interval(self._minute * MINUTE_S // rules.interval_s)
        if orders.heard is not None:
            correspondence.hear(orders.heard)
        while self._minute < orders.until:
            self._live(self._minute)
            self._minute += 1
        if orders.silent is None:
            return None
        now_s = self._minute * MINUTE_S
        begins = now_s % rules.interval_s == 0 and now_s < self._today.slots * rules.interval_s
        return correspondence.say(self._state.stored_wh, orders.silent, old_interval=begins)

    def finish(self, heard: Heard | None) -> Decided:
        """Hear what came of the day's last reports, and let go of what was never reported."""
        if heard is not None:
            self._correspondence.hear(heard)
        if self._correspondence.schedule is not None:
            self._correspondence.give_up()
        self._state.past = Past.after(self._load, self._pv)
        return Decided(
            decisions=self._decisions, proved=self._proved, cap_excess_wh=self._cap_excess_wh
        )

    def _live(self, minute: int) -> None:
        """Let a minute pass: batteries follow or hold, meters count."""
        rules, state, slot = self._rules, self._state, self._slot
        place = minute % slot.minutes
        if not place:
            slot.open(*self._today.read(minute // slot.minutes), state.stored_wh)
        if minute * MINUTE_S % rules.decide_s == 0:
            self._decide(minute)
        load_w, pv_w = slot.load_w[place], slot.pv_w[place]
        stored_wh, battery_w, grid_w = live_minute(
            self._equipment.bank,
            state.stored_wh,
            self._decision,
            limits=rules.disturbances,
            load_w=load_w,
            pv_w=pv_w,
        )
        state.net_export_wh -= grid_w * (MINUTE_S / 3600)
        state.stored_wh = stored_wh
        self._load.last_w, self._pv.last_w = load_w, pv_w
        slot.pass_minute(place, battery_w, grid_w, stored_wh)
        if place == slot.minutes - 1:
            lived = slot.lived(minute // slot.minutes)
            for recorder in self._recorders:
                recorder.add(lived)

    def _decide(self, minute: int) -> None:
        """Let every home see, then decide."""
        decision = self._controller.decide(self._see(minute))
        self._decisions += decision.proved.shape[0]
        self._proved += int(decision.proved.sum())
        self._cap_excess_wh += decision.cap_excess_wh
        # Without a connection there is no promise to keep: such a home serves itself.
        self._decision = replace(decision, follow=decision.follow | self._correspondence.offline)

    def _see(self, minute: int) -> Observation:
        """Put together what the homes know at the beginning of a minute."""
        elapsed_s = minute * MINUTE_S % self._rules.interval_s
        slot = minute * MINUTE_S // self._rules.interval_s
        block_s = blocks_ahead_s(elapsed_s, self._rules.interval_s, self._rules.decide_s)
        load_w, pv_w = self._expect(minute, elapsed_s, block_s)
        return Observation(
            bank=self._equipment.bank,
            stored_wh=self._state.stored_wh,
            block_s=block_s,
            load_w=load_w,
            pv_w=pv_w,
            import_price_per_mwh=float(self._morning.import_price_per_mwh[slot]),
            export_price_per_mwh=float(self._morning.export_price_per_mwh[slot]),
            import_limit_w=self._equipment.connection_w,
            export_limit_w=self._equipment.connection_w,
            remaining_export_wh=self._correspondence.owed_wh(minute),
            steered=self._correspondence.steered(minute),
            soc_target=self._correspondence.soc_target(minute),
        )

    def _expect(
        self, minute: int, elapsed_s: int, block_s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return expected load and production by block, from what meters showed until now."""
        if minute * MINUTE_S % QUARTER_S < self._rules.decide_s:
            quarters = max(1, self._rules.interval_s // QUARTER_S)
            self._expected = (
                self._forecaster.forecast(self._load.history_w(minute), quarters),
                self._forecaster.forecast(self._pv.history_w(minute), quarters),
            )
        measured = (self._load.last_w, self._pv.last_w)
        load_w, pv_w = (
            expected_w(now_w, ahead_w, elapsed_s=elapsed_s, block_s=block_s)
            for now_w, ahead_w in zip(measured, self._expected, strict=True)
        )
        return load_w, pv_w


class _Slot:
    """The market interval at hand, laid out minute by minute: homes are worked on together."""

    def __init__(self, minutes: int, homes: int) -> None:
        self.minutes = minutes
        self.load_w = self.pv_w = np.empty((minutes, homes))
        self._load_w = self._pv_w = np.empty((homes, minutes))
        self._battery_w, self._grid_w = np.empty((2, minutes, homes))
        self._stored_wh = np.empty((minutes + 1, homes))

    def open(self, load_w: FloatArray, pv_w: FloatArray, stored_wh: FloatArray) -> None:
        """Begin an interval with load and production, shape (homes, minutes). [W, Wh]"""
        self._load_w, self._pv_w = load_w, pv_w
        self.load_w, self.pv_w = np.ascontiguousarray(load_w.T), np.ascontiguousarray(pv_w.T)
        self._stored_wh[0] = stored_wh

    def pass_minute(
        self, place: int, battery_w: FloatArray, grid_w: FloatArray, stored_wh: FloatArray
    ) -> None:
        """Keep what a minute left. [W, Wh]"""
        self._battery_w[place], self._grid_w[place] = battery_w, grid_w
        self._stored_wh[place + 1] = stored_wh

    def lived(self, number: int) -> Lived:
        """Return the interval, now over."""
        return Lived(
            slot=number,
            load_w=self._load_w,
            pv_w=self._pv_w,
            battery_power_w=np.ascontiguousarray(self._battery_w.T),
            grid_power_w=np.ascontiguousarray(self._grid_w.T),
            stored_wh=np.ascontiguousarray(self._stored_wh.T),
        )


def _idle(homes: int) -> Decision:
    """Return what homes do before their first decision: follow."""
    return Decision(
        follow=np.ones(homes, dtype=np.bool_),
        battery_power_w=np.zeros(homes),
        proved=np.zeros(homes, dtype=np.bool_),
        cap_excess_wh=np.zeros(homes),
    )
