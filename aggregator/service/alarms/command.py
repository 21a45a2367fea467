"""`gridpact serve alarm test`: try the ways to tell people before there is something to tell."""

import json

import click

from aggregator.service.alarms.channels import channels_of
from aggregator.service.alarms.errors import ChannelUnavailableError
from aggregator.service.alarms.message import Alarm, Message
from aggregator.service.alarms.settings import AlarmSettings
from aggregator.service.errors import ServiceConfigError
from aggregator.service.settings import ServiceSettings
from contracts.commands.options import json_option
from devices.clock import SystemClock
from devices.errors import DeviceError


@click.group()
def alarm() -> None:
    """Try how alarms are told."""


@alarm.command(short_help="Send a test message.")
@json_option
@click.pass_obj
def test(settings: ServiceSettings, *, as_json: bool) -> None:
    """Send a message that says it is a test to e-mail and webhook, as [alarms] has them."""
    channels = channels_of(settings.table(AlarmSettings, "alarms"))
    if not channels:
        msg = "[alarms] names neither email_host nor webhook_url; give one, or watch the page"
        raise ServiceConfigError(msg)
    now_ms = round(SystemClock().utc().timestamp() * 1000)
    message = Message([trial(now_ms)])
    refused: dict[str, str] = {}
    for each in channels:
        try:
            each.send(message, now_ms)
        except (ChannelUnavailableError, DeviceError) as error:
            refused[each.name] = str(error)
    if as_json:
        states = {each.name: refused.get(each.name, "taken") for each in channels}
        click.echo(json.dumps({"id": message.id, "channels": states}))
    else:
        for each in channels:
            click.echo(f"{each.name}: {'not taken' if each.name in refused else 'taken'}")
    if refused:
        raise ChannelUnavailableError("; ".join(refused.values()))


def trial(now_ms: int) -> Alarm:
    """Return what a try tells; its number, 0, is no alarm's.

    Parameters
    ----------
    now_ms : int
        The present. [ms]
    """
    return Alarm(
        number=0,
        kind="test",
        severity="warning",
        home=None,
        line="somebody tries whether alarms arrive; nothing is wrong",
        state="resolved",
        raised_ms=now_ms,
    )
