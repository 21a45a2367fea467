"""Couraud's rule-based control: three rules in place of a program, where a gateway cannot optimise.

Everything is measured at the cells in the formulas below, > 0 charges, per home; l counts the
blocks ahead, Δ_l is the length of block l, and block 0 is the step that is decided now.
"""

from dataclasses import dataclass

import numpy as np

from devices.arrays import FloatArray
from hems.controller import Decision, Observation
from hems.mpc_program import OWED_TOLERANCE_WH
from hems.reach import followed_wh

FOLLOW_TOLERANCE_W = 0.5
"""A set-point this close to residual demand is a recommendation to follow it. [W]"""


@dataclass(frozen=True, slots=True)
class RealtimeRules:
    """Ramp to the fleet's state of charge, pay the owed export, store what others cannot.

    Notes
    -----
    Couraud 2021, an earlier version of the paper, in three rules. P_f is residual-demand following,
    η (P_p − P_d); gap = SoC^{t,A} C − stored; T the time to the interval's end.

    1. S = 0: P1 = P_f. S = 1: a ramp that reaches SoC^{t,A} at the interval's end, at the rate that
       local production and demand give until t1, at full power from then on. As it is recomputed in
       each step, t1 need not be known: the step keeps to the local rate as long as full power in
       all later blocks still closes the gap,

           P1 = min(max(P_local, (gap − Σ_{l≥1} P_up Δ_l)/Δ_0), (gap − Σ_{l≥1} P_down Δ_l)/Δ_0).

       P_up and P_down are the cells' greatest and least power within the caps of the connection. Up
       the ramp (gap ≥ 0), P_local = max(P_f, 0): production is used first and the grid last, and
       what it brings above the target is kept, as the print's max(P1, P_f) has it. Down the ramp,
       P_local = max(P_f, gap/Δ_0): demand is served first.
    2. RE^{t,k} > 0 is owed: P2 = P_f − η P_e, with a ramp P_e on exports that pays at an even rate
       until t1 and at full power from then on: P_e = max(RE/T, (RE − Σ_{l≥1} E_l)/Δ_0), where E_l
       is the most that block l can export. Where nothing is owed, P2 = P1.
    3. RE^{t,k} < 0 is this home's share of the surplus that the fleet's batteries have not taken,
       −w_i E_a: P = P_f − η RE/T. Otherwise P = P2.

    The print leaves the rates of its ramps open. An export at the last moment, the counterpart of
    rule 1, leaves the fleet nothing to correct: over three generated days of 20 homes its mean
    export error was 6.1, 12.3 and 3.4 %, that of the even rate 3.0, 11.5 and 1.3 %. The print's P2
    under a contract is P1 + η min(0, P_p − P_d − P1 − P_e), that is min(P1, P_f − η P_e). But the
    SoC^{t,A} published with a promise is a floor, below what was planned: a ramp down to it is
    asked for by nobody. So P1 counts no lower than P_f there, and P_f − η P_e is what is left.

    The terminals stay within the caps: a battery relieves a cap, never breaks it.
    """

    def decide(self, seen: Observation) -> Decision:
        """Return each home's set-point for block 0; none is a proved optimum."""
        step_s = float(seen.block_s[0])
        wanted_w = _wanted_w(seen)
        surplus_w = seen.pv_w[:, 0] - seen.load_w[:, 0]
        wanted_w = np.clip(
            wanted_w, surplus_w - seen.export_limit_w, surplus_w + seen.import_limit_w
        )
        after_wh, power_w = seen.bank.advance(seen.stored_wh, wanted_w, step_s)
        apart_wh = np.abs(after_wh - seen.stored_wh - followed_wh(seen))
        grid_w = power_w - surplus_w
        over_w = np.maximum(grid_w - seen.import_limit_w, -grid_w - seen.export_limit_w)
        return Decision(
            follow=apart_wh <= FOLLOW_TOLERANCE_W * step_s / 3600,
            battery_power_w=power_w,
            proved=np.zeros(seen.bank.homes, dtype=bool),
            cap_excess_wh=np.maximum(over_w, 0.0) * step_s / 3600,
        )


def _wanted_w(seen: Observation) -> FloatArray:
    """Return the three rules' terminal power before caps and limits, shape (homes,). [W]"""
    follow_w = seen.pv_w[:, 0] - seen.load_w[:, 0]
    owed_wh, rest_h = seen.remaining_export_wh, float(seen.block_s.sum()) / 3600
    free_w = np.where(seen.steered, _ramp_w(seen, follow_w), follow_w)
    pays_w = follow_w - _owed_rate_w(seen)
    takes_w = follow_w - owed_wh / rest_h
    owes, takes = owed_wh > OWED_TOLERANCE_WH, owed_wh < -OWED_TOLERANCE_WH
    return np.where(owes, pays_w, np.where(takes, takes_w, free_w))


def _ramp_w(seen: Observation, follow_w: FloatArray) -> FloatArray:
    """Rule 1: return the terminal power of the ramp to SoC^{t,A}, shape (homes,). [W]"""
    bank, step_h = seen.bank, seen.block_s / 3600
    target_wh = np.clip(seen.soc_target * bank.capacity_wh, *bank.window_wh(seen.stored_wh))
    gap_wh = target_wh - seen.stored_wh
    # What the terminals can move in each later block within the caps, as power at the cells.
    surplus_w = (seen.pv_w - seen.load_w)[:, 1:]
    power_max_w, eta_c = bank.power_max_w[:, None], bank.charge_efficiency[:, None]
    up_w = eta_c * np.maximum(surplus_w + seen.import_limit_w[:, None], 0.0)
    down_w = np.maximum(seen.export_limit_w[:, None] - surplus_w, 0.0)
    down_w = down_w / bank.discharge_efficiency[:, None]
    later_h = step_h[1:]
    low_wh = gap_wh - (np.minimum(up_w, power_max_w) * later_h).sum(axis=1)
    high_wh = gap_wh + (np.minimum(down_w, power_max_w) * later_h).sum(axis=1)
    low_w, gap_w, high_w = (
        bank.terminal_power_w(wh / step_h[0]) for wh in (low_wh, gap_wh, high_wh)
    )
    # Up the ramp at least 0, down the ramp at least what closes the gap: min(gap, 0) is both.
    local_w = np.maximum(follow_w, np.minimum(gap_w, 0.0))
    return np.clip(local_w, low_w, high_w)


def _owed_rate_w(seen: Observation) -> FloatArray:
    """Rule 2: return the net export P_e to aim at in block 0, shape (homes,). [W]"""
    bank, step_h = seen.bank, seen.block_s / 3600
    surplus_w = (seen.pv_w - seen.load_w)[:, 1:]
    give_w = surplus_w + (bank.discharge_efficiency * bank.power_max_w)[:, None]
    most_wh = np.minimum(give_w, seen.export_limit_w[:, None]) * step_h[1:]
    owed_wh = seen.remaining_export_wh
    last_w = (owed_wh - most_wh.sum(axis=1)) / step_h[0]
    rate_w: FloatArray = np.maximum(owed_wh / step_h.sum(), last_w)
    return rate_w
