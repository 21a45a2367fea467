"""What a central system asks of a charger, and what it answers: payloads of OCPP 1.6 and 2.0.1."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from devices.drivers.ocpp_charger_codec import V16

PROFILE_ID: Final = 7_290
"""Number of our charging profile: the same each time, so that a new one replaces the old."""
HEARTBEAT_S: Final = 60
"""How often a charger is to say that it lives, and to set its clock by ours. [s]"""
COMPOSITE_S: Final = 10
"""Span of the schedule that is read back: only its beginning counts. [s]"""
_TAKEN: Final = frozenset(
    {
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "LogStatusNotification",
        "MeterValues",
        "NotifyChargingLimit",
        "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule",
        "NotifyEvent",
        "NotifyMonitoringReport",
        "NotifyReport",
        "ReportChargingProfiles",
        "SecurityEventNotification",
        "StatusNotification",
        "StopTransaction",
    }
)
"""Requests of chargers that want no more than to be heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit as it is sent: rounded to what the protocol carries."""

    value: float
    """In ``unit``; whole watts, or tenths of an ampere in each phase."""
    unit: str
    """``W`` or ``A``."""
    phases: int
    """Phases that a limit in ampere holds for."""


def limit_of(limit_w: float, *, unit: str, voltage_v: float, phases: int) -> Limit:
    """Return a power as the charger is told it, rounded down so that it is not exceeded. [W, V]"""
    if unit == "W":
        return Limit(value=math.floor(limit_w + 1e-6), unit=unit, phases=phases)
    tenths = math.floor(limit_w / voltage_v / phases * 10 + 1e-6)
    return Limit(value=tenths / 10, unit=unit, phases=phases)


def set_profile(
    version: str, limit: Limit, *, connector: int, station: bool, now: datetime, valid_s: float
) -> dict[str, object]:
    """Return the payload of ``SetChargingProfile``: a limit that ends by itself.

    Parameters
    ----------
    version : str
        ``1.6`` or ``2.0.1``.
    limit : Limit
        Greatest power or current.
    connector : int
        Connector or EVSE.
    station : bool
        Limit the whole charger instead of the connector.
    now : datetime
        Start of the limit, in UTC.
    valid_s : float
        How long it holds; what is begun of a second counts whole. [s]
    """
    start = now.replace(microsecond=0)
    end = now + timedelta(seconds=valid_s)
    period: dict[str, object] = {"startPeriod": 0, "limit": limit.value}
    if limit.unit == "A":
        period["numberPhases"] = limit.phases
    schedule: dict[str, object] = {
        "chargingRateUnit": limit.unit,
        "chargingSchedulePeriod": [period],
        "startSchedule": utc_text(start),
        "duration": math.ceil((end - start).total_seconds()),
    }
    at = 0 if station else connector
    if version == V16:
        profile = _profile("ChargePointMaxProfile" if station else "TxDefaultProfile")
        profile |= {"chargingProfileId": PROFILE_ID, "chargingSchedule": schedule}
        return {"connectorId": at, "csChargingProfiles": profile}
    profile = _profile("ChargingStationMaxProfile" if station else "TxDefaultProfile")
    profile |= {"id": PROFILE_ID, "chargingSchedule": [{"id": 1} | schedule]}
    return {"evseId": at, "chargingProfile": profile}


def clear_profile(version: str) -> dict[str, object]:
    """Return the payload of ``ClearChargingProfile`` for our profile."""
    return {"id" if version == V16 else "chargingProfileId": PROFILE_ID}


def composite(version: str, *, connector: int, unit: str) -> dict[str, object]:
    """Return the payload of ``GetCompositeSchedule``: what holds now."""
    at = "connectorId" if version == V16 else "evseId"
    return {at: connector, "duration": COMPOSITE_S, "chargingRateUnit": unit}


def trigger(version: str, message: str, *, connector: int) -> dict[str, object]:
    """Return the payload of ``TriggerMessage``: say ``message`` now."""
    if version == V16:
        return {"requestedMessage": message, "connectorId": connector}
    return {"requestedMessage": message, "evse": {"id": connector, "connectorId": 1}}


def reply_to(
    action: str, payload: Mapping[str, object], *, version: str, now: datetime
) -> dict[str, object] | None:
    """Return what a charger's request is answered with, None where it asks for what we lack."""
    if action in _TAKEN:
        return {}
    accepted = {"status": "Accepted"}
    replies: dict[str, dict[str, object]] = {
        "Authorize": {"idTagInfo" if version == V16 else "idTokenInfo": accepted},
        "BootNotification": {"currentTime": utc_text(now), "interval": HEARTBEAT_S} | accepted,
        "DataTransfer": {"status": "UnknownVendorId"},
        "Heartbeat": {"currentTime": utc_text(now)},
        "StartTransaction": {
            "transactionId": int(now.timestamp()) % 2**31,
            "idTagInfo": accepted,
        },
        "TransactionEvent": {"idTokenInfo": accepted} if "idToken" in payload else {},
    }
    return replies.get(action)


def utc_text(at: datetime) -> str:
    """Return a time as OCPP writes it."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _profile(purpose: str) -> dict[str, object]:
    return {
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
    }
