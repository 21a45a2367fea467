"""The emulated cloud confirms as the paper shows, and does what it confirmed."""

import asyncio
import json
from datetime import timedelta

import pytest

from devices.battery_model import BatteryModel
from devices.drivers.grid_services_codec import encode_event, to_event
from devices.emulators.grid_services import PATH, GridServicesEmulator
from devices.emulators.house import EmulatedHome
from devices.emulators.http_server import HttpRequest
from devices.hand_clock import HandClock

DER = "90e8dcc3-c70d-4725-a348-01a33b5f0612"


def emulator(**options):
    clock = HandClock()
    home = EmulatedHome(
        model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=lambda _: (500.0, 0.0)
    )
    return GridServicesEmulator(home, clock=clock, **options), clock


def body(clock, *, in_s=0.0, valid_s=60.456, power_w=1_400.0):
    start = clock.utc() + timedelta(seconds=in_s)
    event = to_event(power_w, der_id=DER, rated_w=4_000.0, start=start, valid_s=valid_s)
    return json.dumps(encode_event(event)).encode()


def ask(cloud, sent, *, path=PATH, **headers):
    answer = cloud.answer(
        HttpRequest(method="POST", path=path, query={}, headers=headers, body=sent)
    )
    if answer.effect is not None:
        answer.effect()
    return answer


def test_the_confirmation_has_the_papers_fields_and_counts_whole_seconds():
    cloud, clock = emulator()

    told = json.loads(ask(cloud, body(clock)).body)

    event_id = told.pop("id")
    assert len(event_id) == 36
    assert told == {
        "derType": "storage",
        "derSerial": "73170C77-0D-STORAGE",
        "commandUri": "chargeStorage",
        "createdOn": "2026-06-01T12:00:00.000Z",
        "startTime": "2026-06-01T12:00:00.000Z",
        "endTime": "2026-06-01T12:01:00.000Z",
        "status": "Delivered",
        "statusMessage": None,
        "statusTime": "2026-06-01T12:00:00.000Z",
        "parameters": {"chargePowerPercent": "35"},
    }


def test_an_event_waits_for_its_start_and_ends_at_its_end():
    async def run():
        cloud, clock = emulator()
        ask(cloud, body(clock, in_s=30, power_w=-1_400.0))
        powers_w = []
        for seconds in (10, 25, 50, 10):
            await clock.advance(seconds)
            powers_w.append(round(cloud.home.state().battery_power_w))
        await cloud.stop()

        assert powers_w == [-500, -1_400, -1_400, -500]

    asyncio.run(run())


def test_a_later_call_replaces_an_event_that_has_not_begun():
    async def run():
        cloud, clock = emulator()
        ask(cloud, body(clock, in_s=30))
        ask(cloud, body(clock, valid_s=10))
        await clock.advance(40)
        await cloud.stop()

        assert round(cloud.home.state().battery_power_w) == -500

    asyncio.run(run())


def test_an_event_of_the_past_changes_nothing():
    cloud, clock = emulator()
    ask(cloud, body(clock, in_s=-120))

    assert round(cloud.home.state().battery_power_w) == -500


@pytest.mark.parametrize(
    ("sent", "path", "status"),
    [
        (b"{", PATH, 400),
        (b"{}", PATH, 400),
        (b"{}", "/elsewhere", 404),
        (None, PATH, 404),
    ],
    ids=["no json", "no event", "no path", "no such battery"],
)
def test_what_is_no_event_of_its_battery_is_refused(sent, path, status):
    cloud, clock = emulator(der_id="another" if sent is None else DER)

    assert ask(cloud, body(clock) if sent is None else sent, path=path).status == status
    assert not cloud.writes


def test_calls_need_the_token_and_too_many_are_sent_away(tmp_path):
    file = tmp_path / "token"
    file.write_text("s3cret")
    file.chmod(0o600)
    cloud, clock = emulator(token_file=file, calls_per_minute=1)
    right = {"authorization": "Bearer s3cret"}

    answers = [
        ask(cloud, body(clock)),
        ask(cloud, body(clock), **right),
        ask(cloud, body(clock), **right),
    ]

    assert [answer.status for answer in answers] == [401, 200, 429]
    assert dict(answers[2].headers) == {"Retry-After": "60"}
