"""`gridpact serve order`: an order from a terminal, by a request to the running service."""

import json
from pathlib import Path
from typing import Any, Final

import click

from aggregator.service.commands.errors import OrderFailedError
from aggregator.service.commands.order_client import OrderClient, is_over
from aggregator.service.commands.order_words import WHATS, command_of, seconds, target_of
from aggregator.service.commands.settings import CommandSettings
from aggregator.service.commands.states import DONE
from aggregator.service.first_start import ADMIN_TOKEN
from aggregator.service.settings import ServiceSettings
from contracts.commands.options import file_argument, json_option

_SLACK_S: Final = 10.0
"""How long the service may take to give up what nobody answers. [s]"""
_SHOWN: Final = 20
"""Homes that did not do it, in full."""


@click.command()
@click.argument("target")
@click.argument("what", type=click.Choice(WHATS))
@click.argument("amount", required=False)
@click.option("--for", "length", help="For how long, such as 15m.")
@click.option("--backup", type=click.FloatRange(0, 100), help="What a profile keeps, in %.")
@click.option("--within", default="60s", show_default=True, help="Until when it may be begun.")
@click.option("--no-wait", is_flag=True, help="Do not wait for what becomes of it.")
@click.option("--url", help="Where the service answers.  [default: as [rest] says]")
@click.option(
    "--token-file", type=file_argument, help="An operator's token.  [default: the folder's]"
)
@click.option("--ca-file", type=file_argument, help="Certificate of the service's authority.")
@json_option
@click.pass_obj
def order(  # noqa: PLR0913 -- one parameter per option
    settings: ServiceSettings,
    *,
    target: str,
    what: str,
    amount: str | None,
    length: str | None,
    backup: float | None,
    within: str,
    no_wait: bool,
    url: str | None,
    token_file: Path | None,
    ca_file: Path | None,
    as_json: bool,
) -> None:
    """Order TARGET to do WHAT, and say what became of it; exit code 1 unless all did it.

    TARGET is a home, device:HOME/DEVICE, group:NAME or fleet.

    \b
    gridpact serve order home-7 charge 50% --for 15m
    gridpact serve order group:mill-lane export 500W --for 1h
    gridpact serve order fleet stop
    gridpact serve order home-7 read "State of charge"
    """  # noqa: D301 -- click's mark, not a backslash
    within_s = seconds(within)
    command = command_of(
        what,
        amount,
        length_s=None if length is None else seconds(length),
        backup_percent=backup,
    )
    client = OrderClient(
        url=(url or _own_url(settings)).rstrip("/"),
        token_file=token_file or settings.folder / ADMIN_TOKEN,
        ca_file=ca_file,
    )
    asked = {"target": target_of(target), "command": command, "expires_in_s": within_s}
    request = client.place(asked)
    wait_s = 0.0
    if not no_wait:
        click.echo(f"order {request} is given; waiting for what becomes of it", err=True)
        wait_s = within_s + settings.table(CommandSettings, "commands").answer_s + _SLACK_S
    became = client.outcome(request, within_s=wait_s)
    click.echo(json.dumps(became, indent=2) if as_json else _said(became))
    if not no_wait and became["states"] != {DONE: became["homes"]}:
        msg = f"order {request} was not done by every battery"
        if not is_over(became):
            msg = f"order {request} is not over; see GET /api/orders/{request}"
        raise OrderFailedError(msg)


def _own_url(settings: ServiceSettings) -> str:
    """Return where the service of this file answers."""
    from aggregator.service.rest.part import RestSettings  # noqa: PLC0415 -- loads a server

    rest = settings.table(RestSettings, "rest")
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(rest.listen, rest.listen)  # noqa: S104 -- nothing listens here
    return f"{'https' if rest.cert_file else 'http'}://{host}:{rest.port}"


def _said(became: dict[str, Any]) -> str:
    """Return what became of an order, in lines."""
    states = ", ".join(f"{count} {state}" for state, count in sorted(became["states"].items()))
    lines = [f"order {became['request_id']} to {_homes(became['homes'])}: {states}"]
    others = [each for each in became["commands"] if each["state"] != DONE]
    for each in others[:_SHOWN]:
        why = ": ".join(part for part in (each["code"], each["reason"]) if part)
        late = " late" if each["late"] else ""
        lines.append(f"  {each['home']}  {each['state']}{late}  {why}".rstrip())
    if len(others) > _SHOWN:
        lines.append(f"  and {len(others) - _SHOWN} more")
    return "\n".join(lines)


def _homes(count: int) -> str:
    return "1 home" if count == 1 else f"{count} homes"
