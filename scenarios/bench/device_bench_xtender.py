"""How fast Xtender frames are coded."""

import time
from typing import Final

from devices.drivers.scom_codec import (
    HOST,
    Format,
    Frame,
    ObjectType,
    PropertyId,
    Service,
    decode,
    decode_value,
    encode,
    encode_value,
)

_BATCH: Final = 500


def xtender_codec_per_s(seconds: float = 1.0) -> float:
    """Return how many frames a second are encoded and decoded again, their value with them.

    Parameters
    ----------
    seconds : float
        How long to measure, on one core. [s]
    """
    started_s, done = time.perf_counter(), 0
    while (elapsed_s := time.perf_counter() - started_s) < seconds or not done:
        for number in range(done, done + _BATCH):
            frame = Frame(
                source=HOST,
                destination=101,
                service=Service.WRITE,
                object_type=ObjectType.PARAMETER,
                object_id=1138,
                property_id=PropertyId.UNSAVED,
                content=encode_value(Format.FLOAT, number % 200),
            )
            decode_value(Format.FLOAT, decode(encode(frame)).content)
        done += _BATCH
    return done / elapsed_s
