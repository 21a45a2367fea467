"""`gridpact agent status`."""

import json
from pathlib import Path
from typing import Any

import click

from devices.battery import BatteryState, MeterState
from devices.commands.configuration import json_option
from devices.commands.shown import line_of
from hems.agent.commands.options import config_option
from hems.agent.config import read_config
from hems.agent.lock import running_pid
from hems.agent.status import read_status


@click.command("status")
@config_option
@json_option
def status_command(*, config: Path, as_json: bool) -> None:
    """Show what the home's agent did last and what stands; reads its state file only."""
    folder = read_config(config).home.state_folder
    pid = running_pid(folder)
    status = {**read_status(folder), "running_pid": pid}
    if as_json:
        click.echo(json.dumps(status))
        return
    for line in lines_of(status):
        click.echo(line)


def lines_of(status: dict[str, Any]) -> list[str]:
    """Return a status in words."""
    pid = status["running_pid"]
    runs = "no agent runs" if pid is None else f"agent runs (process {pid})"
    lines = [f"{status['home']}: {runs}; as of {status['utc']}"]
    reading = status["reading"] or {}
    for name, kind in (("meter", MeterState), ("battery", BatteryState)):
        told = line_of(kind(**reading[name])) if name in reading else "not read"
        lines.append(f"{name}: {told}")
    lines += [_wish(status), *_relay(status.get("relay")), *_prices(status.get("prices"))]
    lines += _standing(status["standing"])
    if status["spool"]:
        waiting, dropped = status["spool"]["waiting"], status["spool"]["dropped"]
        wait = "message waits" if waiting == 1 else "messages wait"
        were = "was" if dropped == 1 else "were"
        lines.append(f"for the broker: {waiting} {wait}, {dropped} {were} given up")
    lines += _forecast(status["forecast"])
    lines += [f"{thing} lost: {' '.join(why.split())}" for thing, why in status["lost"].items()]
    return lines


def _forecast(errors: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """Return how far forecasts were off, in a line for each quantity that was ever scored."""
    lines = []
    for quantity, by_quarters in errors.items():
        told = [
            f"{each['mean_absolute_w']:.0f} W {int(quarters) / 4:g} h ahead"
            for quarters, each in by_quarters.items()
        ]
        if told:
            lines.append(f"forecasts of {quantity} are off by {', '.join(told)}")
    return lines


def _wish(status: dict[str, Any]) -> str:
    wish = status["wish"]
    power_w = wish["battery_power_w"]
    does = "follow the house" if power_w is None else f"hold {power_w:+.0f} W"
    by = f"order {status['order']}" if status["order"] else wish["why"]
    return f"asked of the battery: {does} ({by})"


def _relay(relay: dict[str, Any] | None) -> list[str]:
    """Return where the relay stands and why; nothing of a house that never leaves the grid."""
    if relay is None:
        return []
    where = {True: "closed, on the grid", False: "open, an island", None: "not read"}
    why = f" ({relay['why']})" if relay["why"] else ""
    times = relay["openings_today"]
    opened = "; openings cannot be counted" if times is None else f"; openings today: {times}"
    return [f"relay: {where[relay['closed']]}{why}{opened}"]


def _prices(prices: dict[str, Any] | None) -> list[str]:
    """Return the market's price that is gone by, and how long prices are known."""
    if prices is None:
        return []
    if prices["origin"] == "tariff":
        return [f"prices of {prices['source']}: none for now, the tariff holds"]
    day = "" if prices["origin"] == "market" else " as of a day before"
    return [
        f"prices of {prices['source']}: {prices['market_per_mwh']:.2f} {prices['currency']}/MWh"
        f"{day}, known until {prices['known_until']}"
    ]


def _standing(standing: dict[str, Any]) -> list[str]:
    """Return what the ledger asks and holds."""
    if standing["source"] == "none":
        return ["promise: none is known; the home keeps its energy"]
    steered = f", steered to {100 * standing['soc_target']:.1f} %" if standing["steered"] else ""
    earned = standing["earned_micro"]
    return [
        f"promise: the fleet's {standing['commitment_wh']} Wh, {standing['owed_wh']:+.0f} Wh of "
        f"them still owed by this home{steered} (by the {standing['source']})",
        f"energy: {standing['reported_wh']} Wh reported, {standing['unreported_wh']:+.0f} Wh not "
        "yet taken by the contract",
        *([] if earned is None else [f"earned: {earned / 1e6:.6f}"]),
    ]
