"""OCPP-J frames: what a charger and its central system send each other, decoded and encoded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ocpp.exceptions import OCPPError  # ocpp ships no types
from ocpp.messages import Call, CallError, CallResult, unpack

from devices.errors import DeviceReplyError

_SHOWN: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question: it asks for an `Answer` or a `Failure` of the same number."""

    number: str
    """Joins it to its answer."""
    action: str
    """What is asked for, such as ``BootNotification``."""
    payload: Mapping[str, object]
    """Its arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was asked for."""

    number: str
    """That of the request."""
    payload: Mapping[str, object]
    """What was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a request was not done."""

    number: str
    """That of the request."""
    code: str
    """OCPP's name of the reason, such as ``NotImplemented``."""
    text: str
    """What the other end says of it."""


Frame = Request | Answer | Failure


def decode_frame(raw: str | bytes) -> Frame:
    """Return what a message says.

    Raises
    ------
    DeviceReplyError
        If it is no OCPP-J frame.
    """
    try:
        found = unpack(raw)
    except (OCPPError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise _no_frame(raw) from error
    number = found.unique_id
    if not isinstance(number, str):
        raise _no_frame(raw)
    if isinstance(found, CallError):
        code, text = found.error_code, found.error_description
        return Failure(number=number, code=str(code), text=str(text)[:_SHOWN])
    if not isinstance(found.payload, dict):
        raise _no_frame(raw)
    if isinstance(found, CallResult):
        return Answer(number=number, payload=found.payload)
    if not isinstance(found.action, str):
        raise _no_frame(raw)
    return Request(number=number, action=found.action, payload=found.payload)


def encode_frame(frame: Frame) -> str:
    """Return a frame as it goes over the wire."""
    if isinstance(frame, Request):
        return str(Call(frame.number, frame.action, frame.payload).to_json())
    if isinstance(frame, Answer):
        return str(CallResult(frame.number, frame.payload).to_json())
    return json.dumps([CallError.message_type_id, frame.number, frame.code, frame.text, {}])


def _no_frame(raw: str | bytes) -> DeviceReplyError:
    msg = f"charger sent {raw[:_SHOWN]!r}, which is no OCPP frame; ask again"
    return DeviceReplyError(msg)
