"""paho's client, for many messages: fewer calls to the system for each of them.

paho asks the socket for a message in four pieces and sends each acknowledgement by itself. Each
such call lets another thread take the interpreter, which it then keeps for as long as it computes:
beside a thread that writes batches, that costs far more than the calls themselves. And it makes
objects of a message that nobody here looks at; without them it takes half the time.
"""

import ssl
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import MQTTErrorCode

_BLOCK: Final = 1 << 16
"""What is asked of the socket at once. [bytes]"""
_PACKETS: Final = 200
"""Packets that are read before it is looked whether any are to be written."""
_PUBACK: Final = 0x40
_QOS: Final = 0x06
_QOS_2: Final = 0x04
_SUCCESS: Final = MQTTErrorCode.MQTT_ERR_SUCCESS

Hearer = Callable[[bytes, bytes, int], None]
"""Takes a message's topic, what it says, and its number; 0 where it awaits no acknowledgement."""


def read_publish(head: int, packet: bytes, *, has_properties: bool) -> tuple[bytes, bytes, int]:
    """Return topic, payload and number of a PUBLISH packet.

    Parameters
    ----------
    head : int
        The packet's first byte.
    packet : bytes
        What follows on its length.
    has_properties : bool
        Whether MQTT 5 is spoken; its properties are passed over.

    Raises
    ------
    IndexError
        If it ends too early.
    """
    place = 2 + int.from_bytes(packet[:2])
    topic, mid = packet[2:place], 0
    if head & _QOS:
        mid = int.from_bytes(packet[place : place + 2])
        place += 2
    if has_properties:
        place = _after_properties(packet, place)
    if place > len(packet):
        raise IndexError(place)
    return topic, packet[place:], mid


def _after_properties(packet: bytes, place: int) -> int:
    length = 0
    for digit in range(4):
        byte = packet[place + digit]
        length |= (byte & 0x7F) << 7 * digit
        if byte < 0x80:
            return place + digit + 1 + length
    raise IndexError(place)


class _BlockSocket:
    """A socket that is read in blocks, with what paho uses of one."""

    def __init__(self, of: Any) -> None:  # noqa: ANN401 -- a socket, or one with TLS
        self._of = of
        self._block = b""
        self._place = 0

    def recv(self, size: int) -> bytes:
        if self._place == len(self._block):
            self._block, self._place = self._of.recv(_BLOCK), 0
        found = self._block[self._place : self._place + size]
        self._place += len(found)
        return found

    def pending(self) -> int:
        """Return how much is here already, of which no call to the system knows. [bytes]"""
        beyond = self._of.pending() if isinstance(self._of, ssl.SSLSocket) else 0
        return len(self._block) - self._place + beyond

    def send(self, data: bytes | bytearray) -> int:
        return int(self._of.send(data))

    def close(self) -> None:
        self._of.close()

    def fileno(self) -> int:
        return int(self._of.fileno())

    def setblocking(self, flag: bool) -> None:
        self._of.setblocking(flag)


class BulkClient(Client):
    """A client that reads and acknowledges many messages at once."""

    heard: Hearer | None = None
    """Takes messages of QoS 0 and 1 in the place of ``on_message``; must not raise."""

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Let the broker forget messages of QoS 1, all of them in one write.

        Parameters
        ----------
        mids : sequence of int
            Their numbers in this connection.
        """
        if mids:
            packets = b"".join([struct.pack("!BBH", _PUBACK, 2, mid) for mid in mids])
            self._packet_queue(_PUBACK, packets, mids[-1], 1)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read what is there; see `Client.loop_read`."""
        found = super().loop_read(max_packets)
        for _ in range(_PACKETS):
            if found != _SUCCESS or self._sock is None or not self._sock.pending():  # type: ignore[attr-defined] # ours
                break
            found = super().loop_read(max_packets)
        return found

    def _handle_publish(self) -> MQTTErrorCode:
        head = self._in_packet["command"]
        if self.heard is None or head & _QOS == _QOS_2:
            return super()._handle_publish()
        packet = bytes(self._in_packet["packet"])
        try:
            topic, payload, mid = read_publish(
                head, packet, has_properties=self._protocol == MQTTv5
            )
        except IndexError:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        self.heard(topic, payload, mid)
        return _SUCCESS

    def _create_socket(self) -> _BlockSocket:
        return _BlockSocket(super()._create_socket())
