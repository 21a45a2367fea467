"""Habib's fuzzy energy manager: 45 rules set a battery's power and the grid's relay."""

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

import numpy as np

from devices.arrays import BoolArray, FloatArray
from hems.controller import Decision, Observation
from hems.errors import ControlInputError
from hems.fuzzy.edge import (
    PAPER_LIMITS,
    ROUNDS_UP,
    Limits,
    PriceBand,
    Wish,
    decide_by,
    follow_wish,
    rounded,
)
from hems.fuzzy.inference import Sugeno
from hems.fuzzy.rule_file import packaged

INPUTS: Final = ["power_balance", "price", "soc"]
"""What the rules go by."""
OUTPUTS: Final = ["battery_power", "relay"]
"""What they say."""


@cache
def paper_rules() -> Sugeno:
    """Return the rules of Table A1."""
    return Sugeno(packaged("habib2023"))


@dataclass(frozen=True, slots=True, kw_only=True)
class HabibFuzzy:
    """Decide by fuzzy rules; a `Controller`, and for one place `edge`.

    Notes
    -----
    Habib 2023, section 2.3 and Table A1. Set-points stay within eq. (4) and (5) for the coming
    cycle. An island's battery takes what the balance leaves: where that would break a constraint,
    by what is measured now, the relay stays closed, and the battery takes what it may of the
    balance. What changes within the cycle can still break them, as the paper observed.
    """

    rules: Sugeno = field(default_factory=paper_rules)
    """From ``power_balance``, ``soc`` and ``price`` to ``battery_power`` and ``relay``."""
    limits: Limits = PAPER_LIMITS
    """What `edge` works within; `decide` has each home's own."""
    price_band: PriceBand | None = None
    """What `decide` places prices in; without one every price is medium."""

    def __post_init__(self) -> None:
        base = self.rules.rules
        inputs = sorted(variable.name for variable in base.inputs)
        outputs = [output.name for output in base.outputs]
        if inputs != INPUTS or outputs != OUTPUTS:
            msg = (
                f"fuzzy rules from {', '.join(inputs)} to {', '.join(outputs)}: "
                f"give rules from {', '.join(INPUTS)} to {', '.join(OUTPUTS)}"
            )
            raise ControlInputError(msg)

    def knowing(self, price_per_mwh: FloatArray) -> "HabibFuzzy":
        """Return it for prices that are known, of any shape. [currency/MWh]"""
        return replace(self, price_band=PriceBand.of(price_per_mwh))

    def decide(self, seen: Observation) -> Decision:
        """Return each home's set-point and relay; none is a proved optimum."""
        return decide_by(self, seen, self.price_band)

    def edge(
        self, power_balance_w: FloatArray, soc: FloatArray, price_level: FloatArray
    ) -> tuple[FloatArray, BoolArray]:
        """Return the battery's power, > 0 charges [W], and whether the relay is closed.

        Parameters
        ----------
        power_balance_w, soc, price_level : FloatArray, shape (homes,) or (homes, times)
            See `EdgeRules.wish`.
        """
        wish = self.wish(self.limits, power_balance_w, soc, price_level)
        closed = rounded(wish)
        return follow_wish(wish, power_balance_w, closed), closed

    def wish(
        self, limits: Limits, power_balance_w: FloatArray, soc: FloatArray, price_level: FloatArray
    ) -> Wish:
        """See `EdgeRules.wish`."""
        balance_w, charge, level = np.broadcast_arrays(power_balance_w, soc, price_level)
        scale_w = np.maximum(limits.charge_max_w, limits.discharge_max_w)
        found = self.rules.infer(
            {
                # A battery without power has no scale: its rules may say what they like.
                "power_balance": (balance_w / np.maximum(scale_w, 1.0)).ravel(),
                "soc": charge.ravel(),
                "price": level.ravel(),
            }
        )
        power, relay = (found[:, place].reshape(balance_w.shape) for place in (0, 1))
        least_w, most_w = limits.bounds_w(charge)
        # Rules for an island give no power: kept on the grid, the battery does what it would there.
        asked_w = np.where(relay >= ROUNDS_UP, power * scale_w, balance_w)
        return Wish(
            battery_power_w=np.clip(asked_w, least_w, most_w),
            closed=relay,
            must_close=(balance_w < least_w) | (balance_w > most_w),
        )
