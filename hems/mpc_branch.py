"""Exclusivity in the home MPC, by branching: exact where netting is not enough.

Branch and bound on the relaxation, all homes and all open nodes of a level in one linear program.
A node forbids, in some blocks, one of two opposed flows: importing or exporting, charging or
discharging. A general solver's tree costs ten milliseconds a home, most of it set-up; here a node
costs what a home costs in the relaxation.
"""

from dataclasses import dataclass, replace

import numpy as np

from devices.arrays import BoolArray, FloatArray, IntArray
from hems.controller import Observation
from hems.mpc_exclusive import (
    CELLS,
    FIRST,
    FREE,
    GRID,
    SECOND,
    Netted,
    net_out,
    no_dearer,
)
from hems.mpc_program import (
    CHARGE,
    DISCHARGE,
    EXPORT,
    EXPORT_OVER,
    IMPORT,
    IMPORT_OVER,
    Program,
)
from hems.mpc_relaxation import Relaxation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nodes:
    """Open nodes of the trees of all homes."""

    home: IntArray
    """Row of each node's home in the program, shape (nodes,)."""
    allowed: IntArray
    """`FREE`, `FIRST` or `SECOND`, shape (nodes, pairs, blocks)."""
    relaxed: FloatArray
    """Relaxed optimum of each node, shape (nodes, columns). [Wh]"""

    def pick(self, chosen: BoolArray | IntArray) -> "_Nodes":
        """Return some of the nodes."""
        return _Nodes(
            home=self.home[chosen], allowed=self.allowed[chosen], relaxed=self.relaxed[chosen]
        )


def branch(
    seen: Observation, numbers: Program, relaxed: FloatArray, netted: Netted
) -> tuple[FloatArray, BoolArray]:
    """Return the optimum of every home whose netted plan is not proved.

    Parameters
    ----------
    seen : Observation
        What the homes know.
    numbers : Program
        The program of all homes.
    relaxed : FloatArray, shape (homes, columns)
        Its relaxed optimum: the roots of the trees. [Wh]
    netted : Netted
        What netting made of it: the first incumbents.

    Returns
    -------
    tuple[FloatArray, BoolArray]
        Columns of all homes, shape (homes, columns) [Wh]; where proved optimal, shape (homes,).
    """
    best, cost = netted.values.copy(), netted.cost.copy()
    # the least that a node left undecided could still have held, for each home
    left = np.full(len(cost), np.inf)
    roots = np.flatnonzero(~netted.proved & np.isfinite(relaxed).all(axis=1))
    nodes = _Nodes(
        home=roots,
        allowed=np.full((len(roots), 2, numbers.blocks), FREE),
        relaxed=relaxed[roots],
    )
    while len(nodes.home):
        nodes = _solve(seen, numbers, _split(numbers, nodes))
        part = numbers.pick(nodes.home)
        found = net_out(seen.bank.pick(nodes.home), part, nodes.relaxed)
        _improve(best, cost, nodes.home, found)
        bound = (part.cost * nodes.relaxed).sum(axis=1)
        # a node that HiGHS could not solve may hold anything
        left[nodes.home[np.isnan(bound)]] = -np.inf
        undecided = ~found.proved & ~np.isnan(bound) & ~no_dearer(cost[nodes.home], bound)
        splits = np.any(nodes.allowed == FREE, axis=(1, 2))
        np.minimum.at(left, nodes.home[undecided & ~splits], bound[undecided & ~splits])
        nodes = nodes.pick(undecided & splits)
    return best, np.isfinite(cost) & no_dearer(cost, left)


def _split(numbers: Program, nodes: _Nodes) -> _Nodes:
    """Return two children of each node, at the free pair that flows most both ways at once."""
    energy = numbers.energy_wh(nodes.relaxed)
    opposed = np.stack(
        [
            np.minimum(
                energy[:, IMPORT] + energy[:, IMPORT_OVER],
                energy[:, EXPORT] + energy[:, EXPORT_OVER],
            ),
            np.minimum(energy[:, CHARGE], energy[:, DISCHARGE]),
        ],
        axis=1,
    )
    opposed = np.where(nodes.allowed == FREE, opposed, -1.0)
    worst = opposed.reshape(len(opposed), -1).argmax(axis=1)
    pair, block = np.unravel_index(worst, opposed.shape[1:])
    children = nodes.pick(np.repeat(np.arange(len(nodes.home)), 2))
    sides = np.tile([FIRST, SECOND], len(nodes.home))
    children.allowed[np.arange(len(sides)), np.repeat(pair, 2), np.repeat(block, 2)] = sides
    return children


def _solve(seen: Observation, numbers: Program, nodes: _Nodes) -> _Nodes:
    """Return the nodes with their relaxed optima.

    Notes
    -----
    A node may forbid what a home cannot help. Its flow above the cap then takes it, at a price
    above all else: every program has a solution, and such a node is outbid by a plan that is one.
    """
    part = numbers.pick(nodes.home)
    column_high = part.column_high.copy()
    high = numbers.energy_wh(column_high)
    for pair, side, kind, over in (
        (GRID, SECOND, IMPORT, IMPORT_OVER),
        (GRID, FIRST, EXPORT, EXPORT_OVER),
    ):
        forbidden = nodes.allowed[:, pair] == side
        high[:, kind][forbidden] = 0.0
        high[:, over][forbidden] = np.inf
    for side, kind in ((SECOND, CHARGE), (FIRST, DISCHARGE)):
        high[:, kind][nodes.allowed[:, CELLS] == side] = 0.0
    bounded = replace(part, column_high=column_high)
    relaxed = Relaxation(seen.bank.pick(nodes.home), seen.block_s).solve(bounded)
    return _Nodes(home=nodes.home, allowed=nodes.allowed, relaxed=relaxed)


def _improve(best: FloatArray, cost: FloatArray, home: IntArray, found: Netted) -> None:
    """Take the cheapest of the plans found for each home, where cheaper than its incumbent."""
    order = np.lexsort((found.cost, home))
    first = order[np.unique(home[order], return_index=True)[1]]
    better = first[found.cost[first] < cost[home[first]]]
    best[home[better]], cost[home[better]] = found.values[better], found.cost[better]
