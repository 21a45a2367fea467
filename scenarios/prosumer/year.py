"""Homes lived through hour by hour under a planner, over a year or less; physics are the bank's.

Each hour: what is known makes a `Prospect`, the planner answers with a `Course`, and what it leaves
the battery free to do meets the hour's real surplus.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import process_time

import numpy as np

from devices.ageing import Loss, sequence_cost, sequence_loss
from devices.ageing_law import AgeingLaw
from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank
from hems.prosumer import Planner, Prospect, carry_out
from hems.prosumer_memory import SlotErrors
from scenarios.errors import ScenarioInputError
from scenarios.prosumer.forecasts import HORIZON_H, Outlook
from scenarios.prosumer.series import HOUR_S, Known, ProsumerSeries

Progress = Callable[[int], None]
"""Told the hours that are done."""
VALUED_H = 72
"""Hours whose mean prices tell the worth of what a battery holds at the end. [h]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which hours of a series are lived through, and what is known in them."""

    begin: int = 0
    """First hour; those before it are history. [h]"""
    hours: int | None = None
    """How many; None: to the end of the series. [h]"""
    horizon_h: int = HORIZON_H
    """Hours that a plan looks ahead, fewer at the end of the series, >= 1. [h]"""
    known: Known = "all"
    """Prices that it knows."""

    def end(self, series: ProsumerSeries) -> int:
        """Return the hour after the last, or raise `ScenarioInputError`."""
        end = series.hours if self.hours is None else self.begin + self.hours
        if not 0 <= self.begin < end <= series.hours or self.horizon_h < 1:
            msg = (
                f"hours {self.begin} to {end} with a horizon of {self.horizon_h} h were asked of a "
                f"series of {series.hours}; choose fewer"
            )
            raise ScenarioInputError(msg)
        return end


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What happened in some hours; energies and money of shape (homes, hours)."""

    battery_wh: FloatArray
    """Energy at the battery's terminals, > 0 charges. [Wh]"""
    stored_wh: FloatArray
    """Energy in the cells, before the first hour and after each, shape (homes, hours + 1). [Wh]"""
    grid_wh: FloatArray
    """Exchange with the grid, > 0 imports. [Wh]"""
    income_micro: FloatArray
    """Export sold less import paid for. [micro]"""
    left_micro: FloatArray
    """Worth of what is stored at the end beyond what was at the start, shape (homes,). [micro]

    After losses, half-way between the mean prices of export and import of the last `VALUED_H`
    hours: what selling it brings, and what having it saves.
    """
    decision_s: FloatArray
    """Processor's time of each plan, shape (hours,). [s]"""

    @property
    def cash_flow(self) -> FloatArray:
        """Income of all hours and the worth of what is left, shape (homes,). [currency]"""
        flow: FloatArray = (self.income_micro.sum(axis=1) + self.left_micro) / 1e6
        return flow

    def ageing(self, law: AgeingLaw, bank: BatteryBank, *, temperature_c: float = 25.0) -> Loss:
        """Return what the hours took from new batteries."""
        soc = np.clip(self.stored_wh / bank.capacity_wh[:, None], 0.0, 1.0)
        return sequence_loss(law, soc, step_s=float(HOUR_S), temperature_c=temperature_c)

    def ageing_cost(self, law: AgeingLaw, bank: BatteryBank, battery_price: float) -> FloatArray:
        """Return eq. (9) of the hours for batteries of a price, shape (homes,). [currency]"""
        return sequence_cost(law, self.ageing(law, bank), battery_price)


def live(
    series: ProsumerSeries,
    planner: Planner,
    bank: BatteryBank,
    *,
    outlook: Outlook | None = None,
    span: Span | None = None,
    wear_price_per_mwh: float = 0.0,
    stored_wh: FloatArray | None = None,
    progress: Progress = lambda _: None,
) -> Lived:
    """Live through hours under a planner that plans anew each hour.

    Parameters
    ----------
    series : ProsumerSeries
        What happens.
    planner : Planner
        Who plans.
    bank : BatteryBank
        Batteries of all homes.
    outlook : Outlook | None
        What is expected; None knows all that will happen.
    span : Span | None
        Which hours; None: all of the series, 72 h ahead.
    wear_price_per_mwh : float
        What planners reckon for ageing, see `devices.ageing.wear_price_per_mwh`. [currency/MWh]
    stored_wh : FloatArray | None
        Energy in the cells at the start, shape (homes,); None: the middle of the window. [Wh]
    progress : Progress
        Called after each hour.

    Raises
    ------
    ScenarioInputError
        If the span does not lie within the series.
    ControlError
        If the planner cannot plan.
    """
    span = span or Span()
    end = span.end(series)
    outlook = outlook or Outlook.perfect(series.load_wh, series.pv_wh, first_hour=series.first_hour)
    now_wh = (
        (bank.soc_min + bank.soc_max) / 2 * bank.capacity_wh if stored_wh is None else stored_wh
    )
    memory, lived = SlotErrors.none(bank.homes), _Diary(bank.homes, end - span.begin, now_wh)
    for place, hour in enumerate(range(span.begin, end)):
        prospect = prospect_at(
            series,
            outlook,
            span,
            hour,
            bank=bank,
            wear_price_per_mwh=wear_price_per_mwh,
            stored_wh=now_wh,
            shortfall_wh=memory.mean_wh,
        )
        begun_s = process_time()
        leave = planner.plan(prospect).leave
        lived.decision_s[place] = process_time() - begun_s
        net_wh = series.pv_wh[:, hour] - series.load_wh[:, hour]
        now_wh, battery_wh = carry_out(bank, now_wh, leave, net_wh)
        lived.stored_wh[:, place + 1], lived.battery_wh[:, place] = now_wh, battery_wh
        memory = memory.after(prospect.net_wh, net_wh)
        progress(place + 1)
    return _told(series, bank, slice(span.begin, end), lived)


class _Diary:
    """What is written down hour by hour."""

    def __init__(self, homes: int, hours: int, stored_wh: FloatArray) -> None:
        self.battery_wh = np.zeros((homes, hours))
        self.stored_wh = np.empty((homes, hours + 1))
        self.stored_wh[:, 0] = stored_wh
        self.decision_s = np.zeros(hours)


def prospect_at(
    series: ProsumerSeries,
    outlook: Outlook,
    span: Span,
    hour: int,
    *,
    bank: BatteryBank,
    stored_wh: FloatArray,
    shortfall_wh: FloatArray,
    wear_price_per_mwh: float,
) -> Prospect:
    """Return what is known at the beginning of an hour.

    Parameters
    ----------
    series, outlook, span, bank, wear_price_per_mwh
        As in `live`.
    hour : int
        Which, from the series' first.
    stored_wh, shortfall_wh : FloatArray, shape (homes,)
        As in `hems.prosumer.Prospect`. [Wh]
    """
    horizon = min(span.horizon_h, series.hours - hour)
    load_wh, pv_wh = outlook.forecast(
        series.load_wh[:, :hour],
        series.pv_wh[:, :hour],
        horizon,
        first_hour=series.first_hour + hour,
    )
    imports, exports = series.known_prices(hour, horizon, span.known)
    return Prospect(
        bank=bank,
        stored_wh=stored_wh,
        load_wh=load_wh,
        pv_wh=pv_wh,
        import_price_per_mwh=imports,
        export_price_per_mwh=exports,
        day=series.day[hour : hour + horizon],
        shortfall_wh=shortfall_wh,
        wear_price_per_mwh=wear_price_per_mwh,
    )


def _told(series: ProsumerSeries, bank: BatteryBank, part: slice, diary: _Diary) -> Lived:
    """Return the diary with what it came to."""
    grid_wh = diary.battery_wh + series.load_wh[:, part] - series.pv_wh[:, part]
    imports, exports = series.import_price_per_mwh[:, part], series.export_price_per_mwh[:, part]
    price = np.where(grid_wh > 0, imports, exports)
    gained_wh = diary.stored_wh[:, -1] - diary.stored_wh[:, 0]
    worth = (imports[:, -VALUED_H:] + exports[:, -VALUED_H:]).mean(axis=1) / 2
    return Lived(
        battery_wh=diary.battery_wh,
        stored_wh=diary.stored_wh,
        grid_wh=grid_wh,
        income_micro=-grid_wh * price,
        left_micro=gained_wh * bank.discharge_efficiency * worth,
        decision_s=diary.decision_s,
    )
