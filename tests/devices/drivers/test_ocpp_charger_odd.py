"""The OCPP driver with chargers that are not as the specification has them, message by message."""

import asyncio
import json
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from websockets.asyncio.client import connect

from devices.drivers.ocpp_charger import OcppCharger, OcppChargerSettings
from devices.errors import DeviceRefusedError, DeviceUnavailableError
from devices.hand_clock import HandClock
from devices.registry import Site
from devices.switches import ChargerState
from devices.write_log import WriteLog

CHARGING = ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
REFUSED = object()
SILENT = object()


def measured(power_w):
    value = {"value": str(power_w), "measurand": "Power.Active.Import"}
    return ("MeterValues", {"connectorId": 1, "meterValue": [{"sampledValue": [value]}]})


class Scripted:
    """A charger that answers as told, and says what it is told to say."""

    def __init__(self, socket, replies):
        self.asked = []
        self.answers = {}
        self.was_asked = asyncio.Event()
        self._socket = socket
        self._replies = replies
        self._number = 0
        self._heard = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._listen())

    async def say(self, action, payload):
        """Send a request and return the answer to it, without its number."""
        self._number += 1
        number = f"c{self._number}"
        await self._socket.send(json.dumps([2, number, action, payload]))
        while number not in self.answers:
            self._heard.clear()
            await asyncio.wait_for(self._heard.wait(), 5)
        return self.answers[number]

    async def leave(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._socket.close()

    async def _listen(self):
        async for raw in self._socket:
            kind, number, *rest = json.loads(raw)
            if kind == 2:
                self.asked.append(rest[0])
                self.was_asked.set()
                await self._answer(number, rest[0])
            else:
                self.answers[number] = (kind, *rest)
                self._heard.set()

    async def _answer(self, number, action):
        reply = self._replies.get(action, {"status": "Accepted"})
        if reply is REFUSED:
            await self._socket.send(json.dumps([4, number, "NotSupported", "", {}]))
        elif reply is not SILENT:
            await self._socket.send(json.dumps([3, number, reply]))


@asynccontextmanager
async def rig(replies, **settings):
    clock, log = HandClock(), WriteLog()
    table = OcppChargerSettings(**{"host": "127.0.0.1", "port": 0, "timeout_s": 1.0} | settings)
    charger = OcppCharger(table, Site(name="port", where="[port]", clock=clock, log=log))
    port = await charger._central.start("127.0.0.1", 0)

    async def dial():
        url = f"ws://127.0.0.1:{port}/ocpp/charger"
        return Scripted(await connect(url, subprotocols=["ocpp1.6"]), replies)

    point = await dial()
    await charger._central.session()
    try:
        yield SimpleNamespace(charger=charger, point=point, clock=clock, dial=dial)
    finally:
        await point.leave()
        await charger._central.stop()
        log.close()


def run(story, replies=None, **settings):
    async def tell():
        async with rig(replies or {}, **settings) as it:
            return await asyncio.wait_for(story(it), 20)

    return asyncio.run(tell())


def test_a_charger_that_cannot_be_asked_is_read_by_what_it_said_itself():
    async def story(it):
        await it.point.say(*CHARGING)
        await it.point.say(*measured(7_200))
        await it.clock.advance(60)

        assert await it.charger.read_charger() == ChargerState(
            connected=True,
            charging=True,
            charger_power_w=7_200.0,
            session_wh=0.0,
            limit_w=None,
        )

    run(story, {"TriggerMessage": REFUSED})


def test_a_charger_that_is_asked_and_says_nothing_is_read_by_what_it_said_before():
    async def story(it):
        await it.point.say(*CHARGING)
        await it.point.say(*measured(7_200))
        await it.clock.advance(60)

        assert (await it.charger.read_charger()).charger_power_w == 7_200.0
        assert it.point.asked == ["TriggerMessage", "GetCompositeSchedule"]

    run(story)


def test_what_a_charging_charger_said_long_ago_is_no_reading():
    async def story(it):
        await it.point.say(*CHARGING)
        await it.point.say(*measured(7_200))
        await it.clock.advance(301)

        with pytest.raises(DeviceUnavailableError, match="measured last 301 s ago"):
            await it.charger.read_charger()

    run(story, {"TriggerMessage": REFUSED})


def test_a_charger_that_says_nothing_at_all_is_asked_again():
    async def story(it):
        with pytest.raises(DeviceUnavailableError, match="has not said yet"):
            await it.charger.read_charger()

    run(story, {"TriggerMessage": {"status": "Rejected"}})


def test_a_charger_without_composite_schedules_names_the_setting():
    async def story(it):
        with pytest.raises(DeviceRefusedError, match="set read_back = false"):
            await it.charger.set_limit(5_000.0, valid_s=60)

    run(story, {"GetCompositeSchedule": {"status": "Rejected"}})


def test_a_charger_without_composite_schedules_is_limited_when_told_so():
    async def story(it):
        await it.point.say(*CHARGING)
        await it.point.say(*measured(4_900))
        await it.charger.set_limit(5_000.0, valid_s=60)

        assert (await it.charger.read_charger()).limit_w == 5_000.0
        await it.clock.advance(61)
        assert (await it.charger.read_charger()).limit_w is None
        assert it.point.asked == ["SetChargingProfile", "TriggerMessage"]

    run(story, {"TriggerMessage": REFUSED}, read_back=False)


def test_a_charger_that_refuses_profiles_names_the_settings_to_try():
    async def story(it):
        with pytest.raises(DeviceRefusedError, match="answered NotSupported to a charging profile"):
            await it.charger.set_limit(5_000.0, valid_s=60)

    run(story, {"SetChargingProfile": {"status": "NotSupported"}})


def test_clearing_a_profile_that_is_not_there_is_what_was_wanted():
    async def story(it):
        await it.charger.unlimit()

        assert it.point.asked == ["ClearChargingProfile", "GetCompositeSchedule"]

    run(story, {"ClearChargingProfile": {"status": "Unknown"}})


def test_a_charger_that_leaves_in_the_middle_is_unavailable_at_once():
    async def story(it):
        attempt = asyncio.ensure_future(it.charger.set_limit(5_000.0, valid_s=60))
        await it.point.was_asked.wait()
        await it.point.leave()
        with pytest.raises(DeviceUnavailableError, match="the charger left"):
            await attempt

    run(story, {"SetChargingProfile": SILENT}, timeout_s=15.0)


def test_a_charger_that_dials_twice_is_heard_on_its_newest_connection():
    async def story(it):
        newer = await it.dial()
        await newer.say(*CHARGING)
        await newer.say(*measured(3_000))

        assert (await it.charger.read_charger()).charger_power_w == 3_000.0
        assert newer.asked == ["GetCompositeSchedule"]
        assert it.point.asked == []
        await newer.leave()

    run(story)


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("Heartbeat", {}, (3, {"currentTime": "2026-06-01T12:00:00Z"})),
        ("Authorize", {"idTag": "A"}, (3, {"idTagInfo": {"status": "Accepted"}})),
        ("DataTransfer", {"vendorId": "X"}, (3, {"status": "UnknownVendorId"})),
        ("FirmwareStatusNotification", {"status": "Idle"}, (3, {})),
        ("StopTransaction", {"transactionId": 1, "meterStop": 5}, (3, {})),
        (
            "BootNotification",
            {"chargePointVendor": "V", "chargePointModel": "M"},
            (3, {"currentTime": "2026-06-01T12:00:00Z", "interval": 60, "status": "Accepted"}),
        ),
        ("Invented", {}, (4, "NotImplemented", "Invented", {})),
    ],
)
def test_what_a_charger_asks_is_answered(action, payload, answer):
    async def story(it):
        return await it.point.say(action, payload)

    assert run(story) == answer


def test_a_request_that_cannot_be_understood_is_answered_so_and_changes_nothing():
    async def story(it):
        await it.point.say(*CHARGING)
        kind, code, *_ = await it.point.say("MeterValues", {"connectorId": 1, "meterValue": 5})
        assert (kind, code) == (4, "FormationViolation")
        await it.point.say(*measured(3_000))

        assert (await it.charger.read_charger()).charger_power_w == 3_000.0

    run(story)


def test_a_limit_that_was_sent_and_not_seen_is_taken_back_on_closing():
    async def story(it):
        with pytest.raises(DeviceRefusedError, match="no composite schedule"):
            await it.charger.set_limit(5_000.0, valid_s=600)
        with pytest.raises(DeviceRefusedError, match="no composite schedule"):
            await it.charger.close()
        return [each for each in it.point.asked if each.endswith("Profile")]

    asked = run(story, {"GetCompositeSchedule": {"status": "Rejected"}})

    assert asked == ["SetChargingProfile", "ClearChargingProfile"]
