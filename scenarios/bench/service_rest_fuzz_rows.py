"""What the store may hold after any requests at all, by rules of their own.

They are written here once more, not taken from the service: what it checks with cannot be what it
is checked by.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select

from aggregator.service.store.store import Store
from aggregator.service.store.tables import (
    alarms,
    audit,
    commands,
    configurations,
    devices,
    homes,
    papers,
    runs,
    tariffs,
    tokens,
)

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_ACCOUNT: Final = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_TARGET: Final = re.compile(r"fleet|(home|group|device):[A-Za-z0-9_.-]{1,64}(/[\w.-]{1,64})?", re.A)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_WRITES: Final = ("charge", "discharge", "profile", "stop", "release", "power reference")

Row = Mapping[str, Any] | RowMapping


def broken_rows(store: Store) -> dict[str, int]:
    """Return how many rows break a rule, by table; of all tables that requests write.

    Parameters
    ----------
    store : Store
        That a service answers from, or did.
    """
    with store.read() as connection:
        found = {
            table.name: sum(not holds(row) for row in connection.execute(select(table)).mappings())
            for table, holds in _RULES
        }
        found["versions"] = sum(1 for _ in _out_of_step(connection))
        known = set(connection.scalars(select(tokens.c.id)))
        asked = {*connection.scalars(select(commands.c.asked_by).distinct())}
        found["askers"] = len(asked - known)
        made_by = set(connection.scalars(select(papers.c.run_number)))
        found["papers"] = len(made_by - set(connection.scalars(select(runs.c.number))))
    return found


def _name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _line(value: object, most: int = 200) -> bool:
    return isinstance(value, str) and len(value) <= most and not _CONTROL.search(value)


def _within(value: object, least: float, most: float) -> bool:
    return value is None or (isinstance(value, int | float) and least <= value <= most)


def _finite(value: object) -> bool:
    """Return whether JSON holds no number that is none."""
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, list):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _home(row: Row) -> bool:
    return (
        _name(row["id"])
        and _line(row["name"])
        and (row["group_name"] == "" or _name(row["group_name"]))
        and (row["account"] is None or _ACCOUNT.fullmatch(row["account"]) is not None)
        and _within(row["latitude_deg"], -90, 90)
        and _within(row["longitude_deg"], -180, 180)
        and (row["tariff_id"] is None or _name(row["tariff_id"]))
    )


def _device(row: Row) -> bool:
    shares = ("charge_efficiency", "discharge_efficiency", "soc_min", "soc_max")
    low, high = row["soc_min"], row["soc_max"]
    return (
        _name(row["id"])
        and row["kind"] in {"battery", "meter", "inverter", "charger"}
        and _line(row["model"])
        and all(_within(row[name], 0, 1e12) for name in ("capacity_wh", "power_max_w"))
        and all(_within(row[name], 0, 1) for name in shares)
        and (low is None or high is None or low <= high)
        and len(row["settings"]) <= 50
        and _finite(row["settings"])
    )


def _tariff(row: Row) -> bool:
    periods = row["terms"]["periods"]
    starts = [period["start_minute"] for period in periods]
    return (
        _name(row["id"])
        and _line(row["name"])
        and 1 <= len(periods) <= 96
        and starts == sorted(set(starts))
        and all(0 <= start < 1440 for start in starts)
        and _finite(row["terms"])
    )


def _deed(row: Row) -> bool:
    return (
        row["outcome"] in {"done", "refused"}
        and _line(row["who"])
        and _line(row["action"])
        and isinstance(row["target"], str)
        and len(row["target"]) <= 250
        and isinstance(row["detail"], dict)
    )


def _command(row: Row) -> bool:
    body = row["body"]
    return (
        row["asked_ms"] < row["expires_ms"] <= row["asked_ms"] + 86_400_000
        and _TARGET.fullmatch(row["target"]) is not None
        and (body.get("write") in _WRITES or _line(body.get("read")))
        and all(_within(body.get(name), 0, 100) for name in ("power", "backup"))
        and _within(body.get("interval"), 0, 1440)
        and _within(body.get("power_w"), -1e9, 1e9)
        and len(json.dumps(body)) < 300
    )


def _alarm(row: Row) -> bool:
    seen, over = row["acknowledged_ms"] is not None, row["resolved_ms"] is not None
    return {"raised": not (seen or over), "acknowledged": seen and not over, "resolved": over}.get(
        row["state"], False
    )


def _run(row: Row) -> bool:
    states = {"running", "done", "unfinished", "failed"}
    return date.fromisoformat(row["day"]) >= date(2000, 1, 1) and row["state"] in states


_RULES: Final[tuple[tuple[Any, Callable[[Row], bool]], ...]] = (
    *((homes, _home), (devices, _device), (tariffs, _tariff), (audit, _deed)),
    *((commands, _command), (alarms, _alarm), (runs, _run)),
)


def _out_of_step(connection: Connection) -> Iterator[str]:
    """Yield what has a version left out, or is not what its last version says."""
    names = {row.number: row.id for row in connection.execute(select(homes.c.number, homes.c.id))}
    now: dict[tuple[str, str], Row] = {}
    for kind, table in (("home", homes), ("device", devices), ("tariff", tariffs)):
        for row in connection.execute(select(table)).mappings():
            home = f"{names[row['home_number']]}/" if kind == "device" else ""
            now[kind, home + row["id"]] = row
    last: Counter[tuple[str, str]] = Counter()
    query = select(configurations).order_by(
        configurations.c.kind, configurations.c.key, configurations.c.version
    )
    bodies: dict[tuple[str, str], dict[str, Any]] = {}
    for row in connection.execute(query).mappings():
        of = row["kind"], row["key"]
        last[of] += 1
        bodies[of] = row["body"]
        if row["version"] != last[of]:
            yield f"{of} leaves out version {last[of]}"
    for of, is_now in now.items():
        told = {name: is_now[name] for name in bodies.get(of, ())}
        if is_now["version"] != last[of] or told != bodies.get(of, {}):
            yield f"{of} is not what its version {last[of]} says"
