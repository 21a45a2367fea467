"""The emulated charger's messages, in the words of OCPP 1.6 and 2.0.1, through the ocpp package."""

import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from ocpp import v16, v201  # ocpp ships no types

from devices.emulators.car import CarState
from devices.emulators.faults import Fault

VENDOR: Final = "Gridpact"
MODEL: Final = "Emulated charger"


class Dialect(Protocol):
    """Says one version's messages."""

    version: str
    """The subprotocol, such as ``ocpp1.6``."""

    def point(self, line: object, silent: object) -> Any:  # noqa: ANN401 -- ocpp ships no types
        """Return the package's charge point on a connection."""
        ...

    def boot(self) -> object:
        """Return the request that is sent after a restart."""
        ...

    def status(self, car: CarState, at: datetime) -> object:
        """Return the request that tells whether a car is there."""
        ...

    def begin(self, car: CarState, at: datetime) -> object:
        """Return the request that begins a transaction."""
        ...

    def measured(self, car: CarState, at: datetime, fault: Fault | None) -> object:
        """Return the request that tells meter values, spoiled as ``fault`` says."""
        ...

    def reply(self, action: str, **fields: object) -> object:
        """Return the answer to a request of the central system."""
        ...

    def limit(self, request: Mapping[str, Any]) -> tuple[float, str, int, float]:
        """Return limit, unit, phases and duration of a request to set a profile. [., s]"""
        ...


class V16Dialect:
    """OCPP 1.6: text values, a power for each phase in kW."""

    version = "ocpp1.6"

    def point(self, line: object, silent: object) -> Any:  # noqa: ANN401 -- ocpp ships no types
        """See `Dialect`."""
        return v16.ChargePoint("emulated", line, response_timeout=5, logger=silent)

    def boot(self) -> object:
        """See `Dialect`."""
        return v16.call.BootNotification(charge_point_model=MODEL, charge_point_vendor=VENDOR)

    def status(self, car: CarState, at: datetime) -> object:
        """See `Dialect`."""
        return v16.call.StatusNotification(
            connector_id=1,
            error_code="NoError",
            status=_state_16(car),
            timestamp=at.isoformat(),
        )

    def begin(self, car: CarState, at: datetime) -> object:
        """See `Dialect`."""
        return v16.call.StartTransaction(
            connector_id=1,
            id_tag="emulated",
            meter_start=round(car.register_wh),
            timestamp=at.isoformat(),
        )

    def measured(self, car: CarState, at: datetime, fault: Fault | None) -> object:
        """See `Dialect`."""
        shown = "NaN" if fault is Fault.NOT_IMPLEMENTED_VALUE else None
        scale = 1.0 if fault is Fault.WRONG_SCALE_FACTOR else 1_000.0
        values = [
            {
                "value": shown or f"{car.power_w / 3 / scale:.4f}",
                "measurand": "Power.Active.Import",
                "phase": phase,
                "unit": "kW",
            }
            for phase in ("L1", "L2", "L3")
        ]
        values.append({"value": shown or f"{car.register_wh:.0f}"})
        return v16.call.MeterValues(
            connector_id=1,
            meter_value=[{"timestamp": at.isoformat(), "sampledValue": values}],
        )

    def reply(self, action: str, **fields: object) -> object:
        """See `Dialect`."""
        if action == "GetCompositeSchedule":
            fields["charging_schedule"] = fields.pop("schedule")
            fields["connector_id"] = 1
        return getattr(v16.call_result, action)(**fields)

    def limit(self, request: Mapping[str, Any]) -> tuple[float, str, int, float]:
        """See `Dialect`."""
        return _limit(request["cs_charging_profiles"]["charging_schedule"])


class V201Dialect:
    """OCPP 2.0.1: numbers, one power for all phases, in tens of watts to be multiplied."""

    version = "ocpp2.0.1"

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def point(self, line: object, silent: object) -> Any:  # noqa: ANN401 -- ocpp ships no types
        """See `Dialect`."""
        return v201.ChargePoint("emulated", line, response_timeout=5, logger=silent)

    def boot(self) -> object:
        """See `Dialect`."""
        station = {"model": MODEL, "vendor_name": VENDOR}
        return v201.call.BootNotification(charging_station=station, reason="PowerUp")

    def status(self, car: CarState, at: datetime) -> object:
        """See `Dialect`."""
        return v201.call.StatusNotification(
            timestamp=at.isoformat(),
            connector_status="Occupied" if car.plugged else "Available",
            evse_id=1,
            connector_id=1,
        )

    def begin(self, car: CarState, at: datetime) -> object:
        """See `Dialect`."""
        return self._event("Started", car, at, None)

    def measured(self, car: CarState, at: datetime, fault: Fault | None) -> object:
        """See `Dialect`."""
        return self._event("Updated", car, at, fault)

    def reply(self, action: str, **fields: object) -> object:
        """See `Dialect`."""
        if action == "GetCompositeSchedule" and isinstance(fields["schedule"], dict):
            fields["schedule"] |= {
                "evseId": 1,
                "duration": 10,
                "scheduleStart": fields.pop("schedule_start"),
            }
        return getattr(v201.call_result, action)(**fields)

    def limit(self, request: Mapping[str, Any]) -> tuple[float, str, int, float]:
        """See `Dialect`."""
        return _limit(request["charging_profile"]["charging_schedule"][0])

    def _event(self, kind: str, car: CarState, at: datetime, fault: Fault | None) -> object:
        multiplier = 2 if fault is Fault.WRONG_SCALE_FACTOR else 1
        values = [
            {
                "value": car.power_w / 10,
                "measurand": "Power.Active.Import",
                "unitOfMeasure": {"unit": "W", "multiplier": multiplier},
            },
            {"value": car.register_wh / 1_000, "unitOfMeasure": {"unit": "kWh"}},
        ]
        if fault is Fault.NOT_IMPLEMENTED_VALUE:
            for value in values:
                value["value"] = -1e30
        return v201.call.TransactionEvent(
            event_type=kind,
            timestamp=at.isoformat(),
            trigger_reason="CablePluggedIn" if kind == "Started" else "MeterValuePeriodic",
            seq_no=next(self._numbers),
            transaction_info={"transactionId": "emulated", "chargingState": _state_201(car)},
            evse={"id": 1, "connectorId": 1},
            meter_value=[{"timestamp": at.isoformat(), "sampledValue": values}],
        )


DIALECTS: Final[dict[str, type[V16Dialect] | type[V201Dialect]]] = {
    "1.6": V16Dialect,
    "2.0.1": V201Dialect,
}
"""By OCPP version."""


def _limit(schedule: Mapping[str, Any]) -> tuple[float, str, int, float]:
    period = schedule["charging_schedule_period"][0]
    return (
        float(period["limit"]),
        str(schedule["charging_rate_unit"]),
        int(period.get("number_phases", 3)),
        float(schedule["duration"]),
    )


def _state_16(car: CarState) -> str:
    if not car.plugged:
        return "Available"
    if car.power_w > 0:
        return "Charging"
    return "SuspendedEV" if car.soc >= 1 else "SuspendedEVSE"


def _state_201(car: CarState) -> str:
    state = _state_16(car)
    return "Idle" if state == "Available" else state
