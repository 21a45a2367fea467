"""From what one home measured, expects and was told to its controller's decision."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import numpy as np

from devices.arrays import FloatArray
from devices.battery import BatteryState, MeterState
from devices.battery_bank import BatteryBank
from hems.agent.standing import Standing
from hems.agent.steering.tariff import Prices
from hems.agent.steering.wish import Limits
from hems.controller import Controller, Decision, Observation
from hems.forecast import QUARTER_S
from hems.see import blocks_ahead_s, expected_w
from hems.self_consumption import SelfConsumption

Forecast = Callable[[datetime, int], tuple[FloatArray, FloatArray]]
"""Expected load and production, each (1, quarters), from the quarter-hour of a time on. [W]"""


@runtime_checkable
class KnowsPrices(Protocol):
    """A controller that places the price among those of the day."""

    def knowing(self, price_per_mwh: FloatArray) -> Controller:
        """Return it for prices that are known. [currency/MWh]"""
        ...


class Decider:
    """Decides for one home.

    Parameters
    ----------
    controller : Controller
        Decides where something was promised.
    bank : BatteryBank
        The battery's ratings, one home.
    forecast : Forecast
        What the home expects.
    tariff : Prices
        Prices.
    decide_s : int
        t_j, from a decision to the next. [s]
    interval_s : int
        Length of the market's intervals. [s]
    alone : Controller, optional
        Decides where nothing was promised; None keeps the home's energy at home.
    """

    def __init__(
        self,
        controller: Controller,
        *,
        bank: BatteryBank,
        forecast: Forecast,
        tariff: Prices,
        decide_s: int,
        interval_s: int,
        alone: Controller | None = None,
    ) -> None:
        self._controller = controller
        self._bank = bank
        self._forecast = forecast
        self._tariff = tariff
        self._decide_s = decide_s
        self._interval_s = interval_s
        self._alone = alone or SelfConsumption()

    def decide(
        self,
        utc: datetime,
        *,
        meter: MeterState,
        battery: BatteryState,
        standing: Standing,
        limits: Limits,
    ) -> Decision:
        """Return what the battery shall do until the next decision."""
        seen = self.observe(utc, meter=meter, battery=battery, standing=standing, limits=limits)
        controller = self._alone if standing.source == "none" else self._controller
        if isinstance(controller, KnowsPrices):
            controller = controller.knowing(self._tariff.of_day(utc))
        return controller.decide(seen)

    def import_price_per_mwh(self, utc: datetime) -> float:
        """Return the price of import that a decision goes by. [currency/MWh]"""
        return self._tariff.prices_per_mwh(utc)[0]

    def observe(
        self,
        utc: datetime,
        *,
        meter: MeterState,
        battery: BatteryState,
        standing: Standing,
        limits: Limits,
    ) -> Observation:
        """Return what the controller sees, up to the end of the market interval."""
        now_s = int(utc.timestamp())
        elapsed_s = now_s % self._interval_s
        step_s = self._decide_s - now_s % self._decide_s
        block_s = blocks_ahead_s(elapsed_s, self._interval_s, step_s)
        quarters = -(-self._interval_s // QUARTER_S)
        load_w, pv_w = self._expected_w(utc, meter, quarters, elapsed_s=elapsed_s, block_s=block_s)
        import_price, export_price = self._tariff.prices_per_mwh(utc)
        soc = min(max(battery.soc, 0.0), 1.0)
        return Observation(
            bank=self._bank,
            stored_wh=soc * self._bank.capacity_wh,
            block_s=block_s,
            load_w=load_w,
            pv_w=pv_w,
            import_price_per_mwh=import_price,
            export_price_per_mwh=export_price,
            import_limit_w=np.array([limits.import_max_w]),
            export_limit_w=np.array([limits.export_max_w]),
            remaining_export_wh=np.array([standing.owed_wh]),
            steered=np.array([standing.steered]),
            soc_target=np.array([standing.soc_target]),
        )

    def _expected_w(
        self,
        utc: datetime,
        meter: MeterState,
        quarters: int,
        *,
        elapsed_s: int,
        block_s: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """Return load and production of the blocks: what is measured, then the forecast. [W]"""
        begin = utc - timedelta(seconds=utc.timestamp() % QUARTER_S)
        found = self._forecast(begin, quarters)
        now_w = (np.array([meter.load_w]), np.array([meter.pv_w]))
        load_w, pv_w = (
            np.maximum(
                expected_w(now, each[:, :quarters], elapsed_s=elapsed_s, block_s=block_s), 0.0
            )
            for now, each in zip(now_w, found, strict=True)
        )
        return load_w, pv_w
