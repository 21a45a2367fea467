"""What waits goes out over a real broker, at a pace, once; also when somebody is killed."""

import json
import signal
import threading
import time

import paho.mqtt.client as paho
import pytest

from aggregator.service.commands.outbox import FLYING_S, Outbox, Pace
from aggregator.service.commands.publisher import Publisher
from aggregator.service.commands.settings import CommandSettings
from aggregator.service.settings import BrokerSettings

LONG_S = 30.0


class Fleet:
    """A plain client that hears every command."""

    def __init__(self, port):
        self.heard = []
        ready = threading.Event()
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        client.on_subscribe = lambda *_: ready.set()
        client.on_connect = lambda *_: client.subscribe("gridpact/+/command/#", 1)
        client.on_message = lambda _, __, each: self.heard.append(each)
        client.reconnect_delay_set(1, 1)
        client.connect("127.0.0.1", port)
        client.loop_start()
        assert ready.wait(LONG_S)
        self._client = client

    def ids(self):
        return [json.loads(each.payload)["correlation_id"] for each in self.heard]

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def fleet(mosquitto):
    hearing = Fleet(mosquitto.port)
    yield hearing
    hearing.close()


class Sending:
    """An outbox with its own connection, worked by hand."""

    def __init__(self, desk, port, *, protocol="5", **settings):
        self.lines, self.desk = [], desk
        self.publisher = Publisher(
            BrokerSettings(host="127.0.0.1", port=port, tls=False, protocol=protocol),
            client_id="gridpact-commands",
            tell=self.lines.append,
            woken=threading.Event(),
        )
        self.box = Outbox(desk.store, self.publisher, CommandSettings(**settings))
        self.publisher.start()

    def turn(self, later_s=0.0):
        return self.box.turn(now_ms=self.desk.now_ms, now_s=time.monotonic() + later_s)

    def states(self):
        return [state for (state,) in self.desk.rows("state")]

    def until_sent(self, waits_until):
        waits_until(lambda: not self.turn() and "waiting" not in self.states(), self.states)


@pytest.fixture
def sending(quick_desk, mosquitto):
    begun = []

    def start(**settings):
        made = Sending(quick_desk, mosquitto.port, **settings)
        begun.append(made)
        return made

    yield start
    for each in begun:
        each.publisher.stop()


def test_a_command_is_what_docs_mqtt_says_with_its_expiry_inside_and_beside(
    quick_desk, sending, fleet, waits_until
):
    quick_desk.homes(1)
    quick_desk.order("home:home-1")
    sending().until_sent(waits_until)
    waits_until(lambda: fleet.heard, "nothing came")

    (message,) = fleet.heard
    assert message.topic == "gridpact/home-1/command"
    assert (message.qos, message.retain) == (1, False)
    assert json.loads(message.payload) == {
        "device": "home-1",
        "correlation_id": "o1-1",
        "expires": quick_desk.now_ms / 1000 + 60,
        "write": "charge",
        "power": 50,
        "interval": 60,
    }
    assert message.properties.CorrelationData == b"o1-1"
    assert 0 < message.properties.MessageExpiryInterval <= 60
    now_ms = quick_desk.now_ms
    assert quick_desk.rows("state", "sent_ms", "last_sent_ms", "sends") == [
        ("sent", now_ms, now_ms, 1)
    ]


def test_in_3_1_1_to_a_sender_of_our_own_the_payload_is_the_same(
    quick_desk, sending, fleet, waits_until
):
    quick_desk.homes(1)
    quick_desk.order(write="stop")
    sending(protocol="3.1.1", sender="operator").until_sent(waits_until)
    waits_until(lambda: fleet.heard, "nothing came")

    assert fleet.heard[0].topic == "gridpact/home-1/command/operator"
    assert json.loads(fleet.heard[0].payload)["write"] == "stop"


def test_an_order_to_one_home_overtakes_one_to_the_fleet_which_goes_out_at_its_pace(
    quick_desk, sending, fleet, waits_until
):
    quick_desk.homes(30)
    quick_desk.order()
    quick_desk.now_ms += 1
    quick_desk.order("home:home-30", write="stop")
    box = sending(per_s=20.0)
    began_s = time.monotonic()
    box.until_sent(waits_until)
    took_s = time.monotonic() - began_s
    waits_until(lambda: len(fleet.heard) == 30, fleet.ids)

    assert fleet.ids() == ["o2-30", *(f"o1-{n}" for n in sorted(range(1, 30), key=str))]
    assert took_s > 20 / 20  # a burst of five goes at once


def test_a_pace_gives_leave_by_the_second_and_saves_up_little():
    pace = Pace(100.0)
    given = []
    for now_s in (0.0, 0.05, 0.1, 0.2, 10.0):
        given.append(pace.leave(now_s))
        pace.went(given[-1])

    assert given == [0, 0, 10, 10, 25]


def test_without_an_acknowledgement_the_same_command_goes_again_until_it_expires(
    quick_desk, sending, fleet, waits_until
):
    quick_desk.homes(2)
    quick_desk.order()
    box = sending(again_s=10.0)
    box.until_sent(waits_until)
    quick_desk.set("o1-2", state="accepted")
    first_ms = quick_desk.now_ms
    quick_desk.now_ms += 9_999
    assert not box.turn()
    quick_desk.now_ms += 1
    waits_until(lambda: not box.turn() and quick_desk.rows("sends")[0] == (2,), box.states)
    waits_until(lambda: len(fleet.heard) == 3, fleet.ids)
    quick_desk.now_ms = first_ms + 60_000
    assert not box.turn()

    assert fleet.ids() == ["o1-1", "o1-2", "o1-1"]
    assert fleet.heard[0].payload == fleet.heard[2].payload
    assert quick_desk.rows("sent_ms", "last_sent_ms", "sends") == [
        (first_ms, first_ms + 10_000, 2),
        (first_ms, first_ms, 1),
    ]


def test_what_is_new_goes_before_what_goes_again_and_stops_before_all_but_to_nobody_out_of_use(
    quick_desk, sending, fleet, waits_until
):
    quick_desk.homes(4, group_name="all")
    quick_desk.order(read="Frequency")
    box = sending(again_s=10.0)
    box.until_sent(waits_until)
    waits_until(lambda: len(fleet.heard) == 4, fleet.ids)
    quick_desk.change_home("home-4", retired=True)
    quick_desk.now_ms += 10_000
    quick_desk.order("group:all", expires_in_s=50.0)
    quick_desk.order("home:home-2", read="Frequency")
    quick_desk.change_home("home-3", group_name="some")
    quick_desk.order("group:some", write="stop")
    waits_until(lambda: not box.turn() and len(fleet.heard) == 11, fleet.ids)

    assert fleet.ids()[4:] == ["o4-3", "o3-2", "o2-1", "o2-2", "o1-1", "o1-2", "o1-3"]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_is_killed_in_between_gets_everything_once_it_is_back(
    quick_desk, sending, fleet, waits_until, mosquitto, protocol
):
    quick_desk.homes(40)
    quick_desk.order()
    box = sending(per_s=100.0, protocol=protocol)
    waits_until(lambda: box.turn() or len(fleet.heard) >= 10, box.states)
    waits_until(lambda: len(fleet.heard) >= 1, box.states)
    mosquitto.kill()
    waits_until(lambda: not box.publisher.connected, "still there")
    for _ in range(5):
        box.turn()
    mosquitto.start()
    # whoever listens comes back first, as gateways that were not there hear nothing
    box.until_sent(waits_until)

    assert {state for (state,) in quick_desk.rows("state")} == {"sent"}
    assert {sends for (sends,) in quick_desk.rows("sends")} == {1}
    assert [line.split(":")[0] for line in box.lines] == [
        "commands do not go out",
        "commands go out again",
    ]


def test_what_a_broker_that_is_there_does_not_acknowledge_is_sent_anew(
    quick_desk, sending, fleet, waits_until, mosquitto
):
    quick_desk.homes(1)
    quick_desk.order()
    box = sending()
    waits_until(lambda: box.publisher.connected, "no broker")
    mosquitto.process.send_signal(signal.SIGSTOP)
    waits_until(box.turn, "nothing was sent")
    assert box.turn(FLYING_S + 1)
    mosquitto.process.send_signal(signal.SIGCONT)
    box.until_sent(waits_until)
    waits_until(lambda: len(fleet.heard) == 2, fleet.ids)

    assert fleet.heard[0].payload == fleet.heard[1].payload
    assert quick_desk.rows("state", "sends") == [("sent", 1)]


def test_whoever_is_killed_between_sending_and_marking_sends_the_same_again(
    quick_desk, sending, fleet, waits_until
):
    quick_desk.homes(1)
    quick_desk.order()
    box = sending()
    waits_until(lambda: box.publisher.connected, "no broker")
    waits_until(box.turn, "nothing was sent")  # and no further turn: it is not marked
    waits_until(lambda: len(fleet.heard) == 1, fleet.ids)
    box.publisher.stop()
    assert quick_desk.rows("state", "sends") == [("waiting", 0)]

    sending().until_sent(waits_until)
    waits_until(lambda: len(fleet.heard) == 2, fleet.ids)
    assert fleet.heard[0].payload == fleet.heard[1].payload
    assert quick_desk.rows("state", "sends") == [("sent", 1)]
