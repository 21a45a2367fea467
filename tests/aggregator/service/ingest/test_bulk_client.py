"""Messages as they lie in MQTT's packets, against what paho itself writes and reads."""

import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from aggregator.service.ingest.bulk_client import BulkClient, read_publish

LONG_S = 30.0
MESSAGES = st.tuples(st.text(max_size=300), st.binary(max_size=300), st.integers(1, 65_535))


def packet(topic, payload, mid, properties):
    """Return a PUBLISH packet after its length."""
    body = topic.encode(errors="replace")
    head = len(body).to_bytes(2) + body + (mid.to_bytes(2) if mid else b"")
    return head + (properties.pack() if properties is not None else b"") + payload


def with_properties(pairs):
    found = Properties(PacketTypes.PUBLISH)
    found.MessageExpiryInterval = 60
    for pair in pairs:
        found.UserProperty = pair
    return found


@settings(max_examples=40)
@given(MESSAGES, st.lists(st.tuples(st.text("ab", max_size=90), st.text("c")), max_size=9))
def test_topic_payload_and_number_are_read_and_properties_passed_over(message, pairs):
    topic, payload, mid = message
    expected = (topic.encode(errors="replace"), payload, mid)

    of_five = packet(topic, payload, mid, with_properties(pairs))
    assert read_publish(0x32, of_five, has_properties=True) == expected
    assert read_publish(0x32, packet(topic, payload, mid, None), has_properties=False) == expected
    of_none = packet(topic, payload, 0, Properties(PacketTypes.PUBLISH))
    assert read_publish(0x31, of_none, has_properties=True) == (*expected[:2], 0)


@settings(max_examples=40)
@given(MESSAGES, st.data())
def test_a_packet_that_ends_before_its_payload_is_refused(message, data):
    topic, _, mid = message
    whole = packet(topic, b"", mid, with_properties([("a", "b")]))
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(IndexError):
        read_publish(0x32, whole[:cut], has_properties=True)


def framed(body):
    """Return a packet as it goes over the wire."""
    size, length = b"", len(body)
    while True:
        length, digit = divmod(length, 128)
        size += bytes((digit | (128 if length else 0),))
        if not length:
            return b"\x32" + size + body


def test_many_messages_come_in_blocks_and_are_acknowledged_in_one_write():
    client, heard = BulkClient(CallbackAPIVersion.VERSION2, manual_ack=True), []
    client.heard = lambda *message: heard.append(message)
    sent = [(b"a/b", b"x" * number * 100, number) for number in range(1, 101)]
    wire = b"".join(framed(packet("a/b", payload, mid, None)) for _, payload, mid in sent)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client.connect(*listener.getsockname())
        broker, _ = listener.accept()
    with broker:
        sending = threading.Thread(target=broker.sendall, args=(wire,))
        sending.start()
        for _ in range(len(wire)):
            if len(heard) == len(sent):
                break
            assert client.loop(LONG_S) == MQTTErrorCode.MQTT_ERR_SUCCESS
        sending.join()
        client.acknowledge([mid for _, _, mid in heard])
        client.disconnect()
        client.loop_write()
        broker.settimeout(LONG_S)
        said = broker.makefile("rb").read()

    assert heard == sent
    assert b"".join(b"\x40\x02" + mid.to_bytes(2) for _, _, mid in sent) in said
