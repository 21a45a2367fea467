"""The operator's files: whole or not at all when written, checked when read.

Values that pass from one step of the day to the next are JSON, each with its kind, so that an award
is not taken for a plan. Series are CSV (`aggregator.tables`), ratings TOML or JSON
(`aggregator.fleet_file`).
"""

import json
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from aggregator.award import Award
from aggregator.errors import FileError
from aggregator.plan import Plan, PlanStatus
from aggregator.problem import Breach, Limit
from contracts.promise import Schedule
from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray

Json = dict[str, Any]
"""A decoded JSON object."""

PLAN_SERIES = ("charge_wh", "discharge_wh", "import_wh", "export_wh", "soc")
"""The plan's series of numbers, in the file as in the value."""


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan as JSON."""
    _write_value(path, plan_body(plan))


def plan_body(plan: Plan) -> Json:
    """Return a plan as the object that its file holds."""
    body: Json = {name: getattr(plan, name).tolist() for name in PLAN_SERIES}
    body |= {
        "follows": plan.follows.tolist(),
        "cost": plan.cost,
        "objective": plan.objective,
        "bound": plan.bound,
        "status": {"kind": plan.status.kind, "gap": plan.status.gap},
        "broken": [
            {"limit": breach.limit.name, "interval": breach.interval, "amount_wh": breach.amount_wh}
            for breach in plan.broken
        ],
        "reason": plan.reason,
    }
    return _headed("plan", plan.grid, body)


def read_plan(path: Path) -> Plan:
    """Read a plan, or raise `FileError`."""
    body = _read_value(path, "plan")
    try:
        return plan_of(body)
    except (KeyError, TypeError, ValueError) as error:
        raise _malformed(path, "plan", error) from error


def plan_of(body: Json) -> Plan:
    """Return the plan of `plan_body`."""
    return Plan(
        grid=_grid(body),
        **{name: _numbers(body[name]) for name in PLAN_SERIES},
        follows=np.array(body["follows"], dtype=np.bool_),
        cost=float(body["cost"]),
        objective=float(body["objective"]),
        bound=None if body["bound"] is None else float(body["bound"]),
        status=PlanStatus(kind=body["status"]["kind"], gap=float(body["status"]["gap"])),
        broken=tuple(_breach(entry) for entry in body["broken"]),
        reason=str(body["reason"]),
    )


def write_award(path: Path, award: Award) -> None:
    """Write an award as JSON."""
    _write_value(path, award_body(award))


def award_body(award: Award) -> Json:
    """Return an award as the object that its file holds."""
    body = {"quantity_wh": list(award.quantity_wh), "price_per_mwh": list(award.price_per_mwh)}
    return _headed("award", award.grid, body)


def read_award(path: Path) -> Award:
    """Read an award, or raise `FileError`."""
    body = _read_value(path, "award")
    try:
        return award_of(body)
    except (KeyError, TypeError, ValueError) as error:
        raise _malformed(path, "award", error) from error


def award_of(body: Json) -> Award:
    """Return the award of `award_body`."""
    return Award(
        grid=_grid(body),
        quantity_wh=_integers(body["quantity_wh"]),
        price_per_mwh=tuple(_numbers(body["price_per_mwh"]).tolist()),
    )


def write_schedule(path: Path, schedule: Schedule) -> None:
    """Write a schedule as JSON."""
    _write_value(path, schedule_body(schedule))


def schedule_body(schedule: Schedule) -> Json:
    """Return a schedule as the object that its file holds."""
    body = {
        "soc_bp": list(schedule.soc_bp),
        "commitment_wh": list(schedule.commitment_wh),
        "steered": list(schedule.steered),
    }
    return _headed("schedule", schedule.grid, body)


def read_schedule(path: Path) -> Schedule:
    """Read a schedule, or raise `FileError`."""
    body = _read_value(path, "schedule")
    try:
        return schedule_of(body)
    except (KeyError, TypeError, ValueError) as error:
        raise _malformed(path, "schedule", error) from error


def schedule_of(body: Json) -> Schedule:
    """Return the schedule of `schedule_body`."""
    return Schedule(
        grid=_grid(body),
        soc_bp=_integers(body["soc_bp"]),
        commitment_wh=_integers(body["commitment_wh"]),
        steered=tuple(bool(flag) for flag in body["steered"]),
    )


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it there, so that nobody reads half of it.

    Raises
    ------
    FileError
        If the folder is missing or refuses.
    """
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with half.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        problem = f"cannot be written ({error.strerror})"
        raise FileError(path, problem, "check the folder") from error


def read_text(path: Path) -> str:
    """Return a file's text, or raise `FileError`."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        problem = f"cannot be read ({why})"
        raise FileError(path, problem, "check the path and that it is UTF-8 text") from error


def _malformed(path: Path, kind: str, error: Exception) -> FileError:
    """Return the error for a value that cannot be rebuilt."""
    problem = f"no field {error}" if isinstance(error, KeyError) else str(error)
    return FileError(path, problem, f"write the {kind} again")


def _write_value(path: Path, body: Json) -> None:
    """Write a value whole."""
    write_text(path, json.dumps(body, indent=1, allow_nan=False) + "\n")


def _headed(kind: str, grid: TimeGrid, body: Mapping[str, object]) -> Json:
    """Return a value with its kind and grid."""
    head = {
        "kind": kind,
        "start": grid.start.isoformat(),
        "step_s": grid.step_s,
        "count": grid.count,
    }
    return {**head, **body}


def _read_value(path: Path, kind: str) -> Json:
    """Return the object of a file of the wanted kind."""
    try:
        body = json.loads(read_text(path), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        problem = f"is not JSON ({error.msg})"
        raise FileError(path, problem, f"write the {kind} again", row=error.lineno) from error
    if not isinstance(body, dict) or body.get("kind") != kind:
        found = body.get("kind") if isinstance(body, dict) else type(body).__name__
        raise FileError(path, f"holds {found!r}, not {kind!r}", f"give the file of the {kind}")
    return body


def _refuse(constant: str) -> float:
    """Refuse NaN and infinities, which are not JSON."""
    msg = f"{constant} is not a number"
    raise json.JSONDecodeError(msg, constant, 0)


def _grid(body: Json) -> TimeGrid:
    """Return the grid of a value."""
    start = datetime.fromisoformat(body["start"])
    return TimeGrid(start=start, step_s=int(body["step_s"]), count=int(body["count"]))


def _numbers(values: list[float]) -> FloatArray:
    """Return a list as an array."""
    return np.array(values, dtype=np.float64)


def _integers(values: list[int]) -> tuple[int, ...]:
    """Return whole numbers as they are, or raise: a reader does not round a promise."""
    for slot, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, int):
            msg = f"value {value!r} in slot {slot} is not a whole number"
            raise TypeError(msg)
    return tuple(values)


def _breach(entry: Json) -> Breach:
    """Return one broken limit."""
    return Breach(
        limit=Limit[entry["limit"]],
        interval=int(entry["interval"]),
        amount_wh=float(entry["amount_wh"]),
    )
