"""What a microgrid's days came to: money, time as an island, smoothness, broken limits."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from devices.arrays import FloatArray
from scenarios.microgrid.model import CYCLE_S, Trace
from scenarios.microgrid.violations import amounts

PER_WH: Final = 1e-6
"""A price per MWh times this is one per Wh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What energy costs at the relay, each of shape (homes, steps)."""

    import_per_mwh: FloatArray
    """Of import. [currency/MWh]"""
    export_per_mwh: FloatArray
    """Of export. [currency/MWh]"""

    def cost(self, trace: Trace) -> FloatArray:
        """Return what import cost less what export brought, shape (homes,). [currency]

        Notes
        -----
        What the battery holds less at the end than at the start counts half-way between the mean
        prices of import and export, as much as would come out of it.
        """
        step_h = trace.grid.step_h
        grid_wh = trace.flows.grid_power_w * step_h
        paid = np.maximum(grid_wh, 0.0) * self.import_per_mwh
        earned = np.maximum(-grid_wh, 0.0) * self.export_per_mwh
        worth = (self.import_per_mwh + self.export_per_mwh).mean(axis=1) / 2
        stored_wh = trace.flows.stored_wh
        eta_d = trace.microgrid.bank.discharge_efficiency
        taken_wh = (stored_wh[:, 0] - stored_wh[:, -1]) * eta_d
        total: FloatArray = ((paid - earned).sum(axis=1) + taken_wh * worth) * PER_WH
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Figures of a run, each of shape (homes,)."""

    cost: FloatArray
    """Import less export at the tariff. [currency]"""
    cost_at_market: FloatArray
    """The same where both cost the market's price. [currency]"""
    island_share: FloatArray
    """Time with an open relay, 0..1."""
    soc_step: FloatArray
    """Mean |ΔSoC| of the paper's cycle."""
    soc_turn: FloatArray
    """Mean change of ΔSoC from a cycle to the next: 0 for any even slope."""
    outside_share: FloatArray
    """Time outside the window of eq. (5), 0..1."""
    overload_share: FloatArray
    """Time in which an island asks more than eq. (4) allows, 0..1."""
    switchings: FloatArray
    """Of the relay, a day."""
    import_wh: FloatArray
    """From the grid. [Wh]"""
    export_wh: FloatArray
    """Into the grid. [Wh]"""
    curtailed_wh: FloatArray
    """Production that islands could not take. [Wh]"""
    unserved_wh: FloatArray
    """Load that islands could not serve. [Wh]"""
    cycles: FloatArray
    """Throughput over twice the capacity, a day."""
    soc_mean: FloatArray
    """Mean state of charge, 0..1."""
    days: float
    """Length. [d]"""

    def means(self) -> dict[str, float]:
        """Return the mean over the microgrids by name."""
        return {field.name: float(np.mean(getattr(self, field.name))) for field in fields(self)}


def measures(trace: Trace, tariff: Tariff, market: Tariff, *, every_s: int = CYCLE_S) -> Measures:
    """Return the figures of a run.

    Parameters
    ----------
    trace : Trace
        The run.
    tariff, market : Tariff
        What homes pay and get, and the bare market's prices for both.
    every_s : int
        Between two states of charge that are compared, whatever the cycle of the run. [s]
    """
    flows, step_h = trace.flows, trace.grid.step_h
    days = trace.grid.count * step_h / 24
    steps = np.diff(trace.soc_every(every_s), axis=1)
    over, under = (amounts(trace, kind) > 0 for kind in ("over-charge", "over-discharge"))
    moved_wh = np.abs(np.diff(flows.stored_wh, axis=1)).sum(axis=1)
    return Measures(
        cost=tariff.cost(trace),
        cost_at_market=market.cost(trace),
        island_share=1 - flows.closed.mean(axis=1),
        soc_step=np.abs(steps).mean(axis=1),
        soc_turn=np.abs(np.diff(steps, axis=1)).mean(axis=1),
        outside_share=(over | under).mean(axis=1),
        overload_share=(amounts(trace, "overload") > 0).mean(axis=1),
        switchings=(trace.closed[:, 1:] != trace.closed[:, :-1]).sum(axis=1) / days,
        import_wh=np.maximum(flows.grid_power_w, 0.0).sum(axis=1) * step_h,
        export_wh=np.maximum(-flows.grid_power_w, 0.0).sum(axis=1) * step_h,
        curtailed_wh=flows.curtailed_w.sum(axis=1) * step_h,
        unserved_wh=flows.unserved_w.sum(axis=1) * step_h,
        cycles=moved_wh / (2 * trace.microgrid.bank.capacity_wh) / days,
        soc_mean=trace.soc[:, 1:].mean(axis=1),
        days=days,
    )
