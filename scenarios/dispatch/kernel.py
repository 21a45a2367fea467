"""A plant's battery run by a policy through all steps of all years, in compiled code.

Each step: what the policy asks, what sources and limits leave of it, the current that this takes at
the cells' voltage, and what it costs of their life.
"""

import numpy as np

from devices.arrays import FloatArray
from hems.mpc_kernel import compiled
from scenarios.dispatch.ageing_kernel import CHARGES, LEFT
from scenarios.dispatch.battery_kernel import (
    DAY_H,
    VOLT,
    Site,
    age,
    allowed_w,
    begin,
    flow,
    noise_a,
    renew_if_worn,
    soc_of,
    warm,
)
from scenarios.dispatch.inlined import inlined
from scenarios.dispatch.policy_kernel import (
    HELD,
    MANUAL,
    MEMORIES,
    WINDOW,
    Asked,
    Now,
    Order,
    Year,
    ask,
    look,
    remember,
)

POWER, SOC, CAPACITY, FROM_PV, FROM_GRID, OUT, RESULTS = range(7)
"""Results of a step: power into the cells, state of charge at its end, capacity left, charge from
PV and from the grid, and discharge, these three at the AC side."""
SAME_W = 1e-7
"""Powers this near to each other are the same: what remains of solving for a current. [W]"""


@compiled
def run(  # noqa: PLR0917 -- compiled code takes no keywords
    site: Site, order: Order, load_w: FloatArray, made_w: FloatArray, out: FloatArray
) -> None:
    """Run all steps of all years.

    ``made_w``: production of each year, shape (years, steps); ``out``: shape
    (years * steps, RESULTS).
    """
    years, steps = made_w.shape
    per_day = round(DAY_H / site.plant.step_h)
    memory = np.zeros(MEMORIES)
    begin(site)
    remember(site, memory)
    # the day before the first is the last of the same year
    eve_w, day_w = (load_w - made_w[0])[-per_day:], np.zeros(per_day)
    for number in range(years):
        year = Year(load_w, made_w[number], load_w - made_w[number], eve_w, day_w)
        for step in range(steps):
            renew_if_worn(site.plant, site.cells.full_ah, site.state, site.past)
            if step % per_day == 0:
                look(site, order, year, memory, step)
            now = Now(step, soc_of(site.state), memory[HELD], memory[WINDOW])
            asked = ask(site.plant, order, year, now)
            _step(site, asked, order.kind != MANUAL, out[number * steps + step])
        eve_w = year.net_w[-per_day:]


@inlined
def _step(site: Site, asked: Asked, noisy: bool, out: FloatArray) -> None:
    """Run a step and write its results; ``noisy``: as `noise_a` says."""
    plant, cells, state = site.plant, site.cells, site.state
    soc = soc_of(state)
    ampere = flow(plant, cells, state, allowed_w(plant, state, site.past[CHARGES], asked.cell_w))
    warm(cells, site.warmth, state, ampere)
    power_w = ampere * state[VOLT] * cells.number
    if ampere != 0 and abs(power_w - asked.cell_w) < SAME_W:
        power_w = asked.cell_w
    if noisy and ampere == 0 and asked.cell_w < 0:
        age(site, noise_a(state), soc)
    else:
        age(site, ampere, soc)
    out[POWER], out[SOC], out[CAPACITY] = power_w, soc_of(state), site.past[LEFT]
    if power_w > 0:
        out[FROM_PV] = min(power_w / plant.from_pv, asked.pv_w)
        rest_w = power_w - out[FROM_PV] * plant.from_pv
        out[FROM_GRID] = rest_w / plant.from_grid if rest_w > SAME_W else 0.0
    else:
        out[OUT] = abs(power_w) * plant.to_load
