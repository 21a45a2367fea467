"""Exclusivity of flows in compiled code: branch and bound over the simplex, home by home.

The tree of `hems.mpc_branch`, whose docstrings tell why it is right; here depth first, with the
netted plan of each node as an incumbent.
"""

from typing import NamedTuple

import numpy as np

from devices.arrays import BoolArray, FloatArray, IntArray
from hems.mpc_exclusive import (
    CELLS,
    FIRST,
    FREE,
    GRID,
    SECOND,
    TOLERANCE_MICRO,
    TOLERANCE_WH,
)
from hems.mpc_kernel import ENDS, Home, Tableau, compiled, put, read, simplex, start
from hems.mpc_program import CHARGE, DISCHARGE, EXPORT, EXPORT_OVER, IMPORT, IMPORT_OVER


class Numbers(NamedTuple):
    """The numbers of `hems.mpc_program.Program`, and what its matrix is made of."""

    cost: FloatArray
    """Shape (homes, columns). [micro/Wh]"""
    column_high: FloatArray
    """Shape (homes, columns). [Wh]"""
    row_low: FloatArray
    """Shape (homes, rows). [Wh]"""
    row_high: FloatArray
    """Shape (homes, rows). [Wh]"""
    efficiencies: FloatArray
    """η_c and η_d, shape (homes, 2)."""
    pace: float
    """Share of the first block in the horizon."""


class Tree(NamedTuple):
    """Workspace of branch and bound: two nodes a level wait, and there is a level a pair."""

    waiting: IntArray
    """What each open node allows, shape (nodes, pairs, blocks)."""
    least: FloatArray
    """Bound of its parent, shape (nodes,). [micro]"""
    allowed: IntArray
    """What the node at hand allows, shape (pairs, blocks)."""
    found_wh: FloatArray
    """Its relaxed optimum, shape (columns,). [Wh]"""
    plan_wh: FloatArray
    """The same netted, shape (columns,). [Wh]"""


@compiled
def solve_homes(numbers: Numbers) -> tuple[FloatArray, BoolArray]:
    """Solve every home's program.

    Returns
    -------
    tuple[FloatArray, BoolArray]
        Columns, shape (homes, columns), NaN for a home whose root is unsolved [Wh]; whether they
        are proved optimal, shape (homes,).
    """
    homes, columns = numbers.cost.shape
    rows = numbers.row_low.shape[1]
    blocks = (rows - ENDS) // 2
    wide, nodes = columns + blocks, 2 * blocks + 2
    values, proved = np.empty((homes, columns)), np.empty(homes, np.bool_)
    cost = np.zeros(wide)
    t = Tableau(
        np.empty((rows, wide)),
        np.empty(wide),
        np.zeros(wide),
        np.empty(wide),
        np.empty(wide, np.bool_),
        np.empty(wide, np.bool_),
        np.empty(rows, np.int64),
        np.empty(rows),
    )
    tree = Tree(
        np.empty((nodes, 2, blocks), np.int64),
        np.empty(nodes),
        np.empty((2, blocks), np.int64),
        np.empty(columns),
        np.empty(columns),
    )
    for h in range(homes):
        put(cost, numbers.cost[h])
        put(t.low[columns:], numbers.row_low[h, blocks : 2 * blocks])
        put(t.high[columns:], numbers.row_high[h, blocks : 2 * blocks])
        home = Home(
            numbers.row_low[h, :blocks],
            numbers.row_low[h, 2 * blocks :],
            numbers.column_high[h],
            cost,
            numbers.efficiencies[h, 0],
            numbers.efficiencies[h, 1],
            numbers.pace,
        )
        proved[h] = _solve_home(t, home, tree, values[h])
    return values, proved


@compiled
def _solve_home(t: Tableau, home: Home, tree: Tree, best_wh: FloatArray) -> bool:
    """Write the best plan of a home; return whether it is proved."""
    best, left, open_nodes = np.inf, np.inf, 1
    tree.waiting[0], tree.least[0] = FREE, -np.inf
    best_wh[:] = np.nan
    while open_nodes > 0:
        open_nodes -= 1
        if _no_dearer(best, tree.least[open_nodes]):
            continue
        _put_sides(tree.allowed, tree.waiting[open_nodes])
        bound, total = _visit(t, home, tree)
        if total < best:
            best = total
            put(best_wh, tree.plan_wh)
        if _no_dearer(best, bound):
            continue
        pair, block, likely = _widest(tree.found_wh, tree.allowed)
        if pair < 0 or bound == -np.inf:
            left = min(left, bound)
            continue
        for side in (FIRST + SECOND - likely, likely):
            _put_sides(tree.waiting[open_nodes], tree.allowed)
            tree.waiting[open_nodes, pair, block] = side
            tree.least[open_nodes] = bound
            open_nodes += 1
    return bool(np.isfinite(best) and _no_dearer(best, left))


@compiled
def _put_sides(place: IntArray, sides: IntArray) -> None:
    """Copy the sides of both pairs."""
    for pair in range(len(sides)):
        put(place[pair], sides[pair])


@compiled
def _visit(t: Tableau, home: Home, tree: Tree) -> tuple[float, float]:
    """Return the bound of the node at hand and the cost of its netted plan. [micro]

    The bound is minus infinity where the node cannot be solved: it may hold anything.
    """
    _forbid(t, tree.allowed, home.high)
    start(t, home)
    if not simplex(t):
        return -np.inf, np.inf
    bound = read(t, home.cost, tree.found_wh)
    return bound, _net_out(t, home, tree.found_wh, tree.plan_wh)


@compiled
def _no_dearer(cost: float, bound: float) -> bool:
    """Return whether a cost is no greater than a bound, within what counts as equal. [micro]"""
    return bool(cost <= bound + TOLERANCE_MICRO + 1e-9 * abs(bound))


@compiled
def _forbid(t: Tableau, allowed: IntArray, high: FloatArray) -> None:
    """Write a node's upper bounds: the place above a forbidden flow's cap takes what must be."""
    blocks = allowed.shape[1]
    put(t.high, high)
    for b in range(blocks):
        if allowed[GRID, b] == SECOND:
            t.high[IMPORT * blocks + b] = 0.0
            t.high[IMPORT_OVER * blocks + b] = np.inf
        elif allowed[GRID, b] == FIRST:
            t.high[EXPORT * blocks + b] = 0.0
            t.high[EXPORT_OVER * blocks + b] = np.inf
        if allowed[CELLS, b] == SECOND:
            t.high[CHARGE * blocks + b] = 0.0
        elif allowed[CELLS, b] == FIRST:
            t.high[DISCHARGE * blocks + b] = 0.0


@compiled
def _net_out(t: Tableau, home: Home, found_wh: FloatArray, plan_wh: FloatArray) -> float:
    """Write what netting makes of ``found_wh``; return its cost, infinite where it breaks a limit.

    One row of `hems.mpc_exclusive.net_out`. [micro]
    """
    blocks, columns = len(home.need_wh), len(found_wh)
    put(plan_wh, found_wh)
    stored_wh, fits = 0.0, True
    for b in range(blocks):
        fits &= _net_grid(plan_wh, home.high, b, blocks)
        charge, discharge = CHARGE * blocks + b, DISCHARGE * blocks + b
        terminal_wh = plan_wh[charge] / home.eta_c - plan_wh[discharge] * home.eta_d
        plan_wh[charge] = max(terminal_wh, 0.0) * home.eta_c
        plan_wh[discharge] = max(-terminal_wh, 0.0) / home.eta_d
        stored_wh += plan_wh[charge] - plan_wh[discharge]
        fits &= stored_wh <= t.high[columns + b] + TOLERANCE_WH
        fits &= stored_wh >= t.low[columns + b] - TOLERANCE_WH
    missing_wh = home.ends_wh[2] - stored_wh
    plan_wh[-2], plan_wh[-1] = max(missing_wh, 0.0), max(-missing_wh, 0.0)
    total = 0.0
    for j in range(columns):
        total += home.cost[j] * plan_wh[j]
    return total if fits else np.inf


@compiled
def _net_grid(plan_wh: FloatArray, high: FloatArray, b: int, blocks: int) -> bool:
    """Cancel import against export in a block; return whether what is left keeps the limits."""
    imports, import_over = IMPORT * blocks + b, IMPORT_OVER * blocks + b
    exports, export_over = EXPORT * blocks + b, EXPORT_OVER * blocks + b
    grid_wh = plan_wh[imports] + plan_wh[import_over]
    grid_wh = grid_wh - plan_wh[exports] - plan_wh[export_over]
    into_wh, out_wh = max(grid_wh, 0.0), max(-grid_wh, 0.0)
    plan_wh[imports] = min(into_wh, high[imports])
    plan_wh[import_over] = into_wh - plan_wh[imports]
    plan_wh[exports] = min(out_wh, high[exports])
    plan_wh[export_over] = out_wh - plan_wh[exports]
    return bool(
        plan_wh[import_over] <= high[import_over] + TOLERANCE_WH
        and plan_wh[export_over] <= high[export_over] + TOLERANCE_WH
    )


@compiled
def _widest(found_wh: FloatArray, allowed: IntArray) -> tuple[int, int, int]:
    """Return pair, block and larger side of the free pair that flows most both ways at once.

    The pair is -1 where none is free.
    """
    blocks = allowed.shape[1]
    most_wh, pair, block, likely = -1.0, -1, -1, FREE
    for b in range(blocks):
        into_wh = found_wh[IMPORT * blocks + b] + found_wh[IMPORT_OVER * blocks + b]
        out_wh = found_wh[EXPORT * blocks + b] + found_wh[EXPORT_OVER * blocks + b]
        both_wh = min(into_wh, out_wh)
        if allowed[GRID, b] == FREE and both_wh > most_wh:
            most_wh, pair, block = both_wh, GRID, b
            likely = FIRST if into_wh >= out_wh else SECOND
        into_wh, out_wh = found_wh[CHARGE * blocks + b], found_wh[DISCHARGE * blocks + b]
        both_wh = min(into_wh, out_wh)
        if allowed[CELLS, b] == FREE and both_wh > most_wh:
            most_wh, pair, block = both_wh, CELLS, b
            likely = FIRST if into_wh >= out_wh else SECOND
    return pair, block, likely
