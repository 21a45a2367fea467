"""The controllers that a run can name."""

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank
from hems.controller import Controller, Decision, Observation
from scenarios.simulation.day_prices import knowing

Named = Literal["mpc", "self-consumption", "realtime-rules", "fuzzy", "soc-rules"]
"""``mpc``: Couraud 2021's, exact, compiled. ``self-consumption``: every battery follows its home,
the heuristic of the paper's scenario 1. ``realtime-rules``: an earlier version of the paper's, for
homes that cannot optimise. ``fuzzy``, ``soc-rules``: Habib 2023's, which also open the grid relay
and keep no promise."""


def controller_named(name: Named) -> Controller:
    """Return a controller; what it is compiled with is imported when it is asked for."""
    if name == "mpc":
        from hems.mpc import Mpc  # noqa: PLC0415 -- numba takes seconds that others need not
        from hems.mpc_compiled import CompiledEngine  # noqa: PLC0415

        return Mpc(engine=CompiledEngine())
    if name == "self-consumption":
        from hems.self_consumption import SelfConsumption  # noqa: PLC0415

        return SelfConsumption()
    if name == "realtime-rules":
        from hems.realtime_rules import RealtimeRules  # noqa: PLC0415

        return RealtimeRules()
    if name == "fuzzy":
        from hems.fuzzy.habib import HabibFuzzy  # noqa: PLC0415

        return HabibFuzzy()
    if name == "soc-rules":
        from hems.fuzzy.soc_rules import SocRules  # noqa: PLC0415

        return SocRules()
    assert_never(name)


@dataclass(frozen=True, slots=True)
class PerHome:
    """Lets a site of the size of many homes decide as each of them would.

    Notes
    -----
    Couraud 2021, eq. (5), adds costs in currency to two terms without a unit: the state of charge
    over its maximum and the owed export over the connection's. What they weigh against a price
    depends on the site's size: at 70 homes in one place (k = 1) 70 times less than at a home, and
    such a site would rather export what it owes to store than pay for a watt-hour of import. Here
    they count one unit of currency for each home that the site stands for, as they do at homes.
    """

    controller: Controller
    """Decides for a home."""
    homes: int
    """How many homes the site stands for."""

    def knowing(self, price_per_mwh: FloatArray) -> "PerHome":
        """See `scenarios.simulation.day_prices.KnowsPrices`."""
        return PerHome(knowing(self.controller, price_per_mwh), self.homes)

    def decide(self, seen: Observation) -> Decision:
        """Return the site's set-point: that of one home, as many times."""
        share, bank = 1 / self.homes, seen.bank
        home = replace(
            seen,
            bank=BatteryBank(
                capacity_wh=bank.capacity_wh * share,
                power_max_w=bank.power_max_w * share,
                charge_efficiency=bank.charge_efficiency,
                discharge_efficiency=bank.discharge_efficiency,
                soc_min=bank.soc_min,
                soc_max=bank.soc_max,
            ),
            stored_wh=seen.stored_wh * share,
            load_w=seen.load_w * share,
            pv_w=seen.pv_w * share,
            import_limit_w=seen.import_limit_w * share,
            export_limit_w=seen.export_limit_w * share,
            remaining_export_wh=seen.remaining_export_wh * share,
        )
        decided = self.controller.decide(home)
        return replace(
            decided,
            battery_power_w=decided.battery_power_w * self.homes,
            cap_excess_wh=decided.cap_excess_wh * self.homes,
        )
