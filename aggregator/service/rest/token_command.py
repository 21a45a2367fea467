"""`gridpact serve token new | list | revoke`."""

import json
from datetime import UTC, datetime, timedelta

import click

from aggregator.service.first_start import prepared_store
from aggregator.service.registry.terminal import who_is_here
from aggregator.service.registry.tokens import SCOPES, TokenBook
from aggregator.service.settings import ServiceSettings
from contracts.commands.options import json_option
from devices.clock import SystemClock


def _tell(line: str) -> None:
    click.echo(line, err=True)


@click.group()
def token() -> None:
    """Make, list and revoke tokens of the REST interface."""


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(SCOPES),
    default="viewer",
    show_default=True,
    help="What it may do: an operator changes things, a viewer reads.",
)
@click.option("--home", help="The home of a home's token; makes its scope home.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="Valid for so long.")
@json_option
@click.pass_obj
def new(  # one parameter per option
    settings: ServiceSettings,
    *,
    name: str,
    scope: str,
    home: str | None,
    days: float | None,
    as_json: bool,
) -> None:
    """Make a token called NAME and print its secret, this once."""
    clock = SystemClock()
    now = clock.utc()
    until = None if days is None else round((now + timedelta(days=days)).timestamp() * 1000)
    store = prepared_store(settings, clock=clock, tell=_tell)
    try:
        made, secret = TokenBook(store).make(
            name,
            scope if home is None else "home",
            who=who_is_here(),
            at_ms=round(now.timestamp() * 1000),
            home=home,
            expires_ms=until,
        )
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps({"id": made.id, "scope": made.scope, "secret": secret}))
        return
    click.echo(secret)
    _tell(f"token {made.id} ({made.scope}): keep it, for it is not shown again")


@token.command("list")
@json_option
@click.pass_obj
def list_(settings: ServiceSettings, *, as_json: bool) -> None:
    """List tokens, never their secrets."""
    clock = SystemClock()
    now_ms = round(clock.utc().timestamp() * 1000)
    store = prepared_store(settings, clock=clock, tell=_tell)
    try:
        found = TokenBook(store).all()
    finally:
        store.close()
    rows = [
        {
            "id": each.id,
            "scope": each.scope if each.home is None else f"{each.scope} {each.home}",
            "name": each.name,
            "created": _utc(each.created_ms),
            "expires": _utc(each.expires_ms),
            "state": "valid" if each.valid(now_ms) else "refused",
        }
        for each in found
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo("  ".join(f"{value or '-'}" for value in row.values()))


@token.command()
@click.argument("token_id", metavar="ID")
@click.pass_obj
def revoke(settings: ServiceSettings, *, token_id: str) -> None:
    """Refuse the token ID from now on."""
    clock = SystemClock()
    store = prepared_store(settings, clock=clock, tell=_tell)
    try:
        at_ms = round(clock.utc().timestamp() * 1000)
        TokenBook(store).revoke(token_id, who=who_is_here(), at_ms=at_ms)
    finally:
        store.close()
    click.echo(f"token {token_id} is refused from now on")


def _utc(at_ms: int | None) -> str | None:
    return None if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"
