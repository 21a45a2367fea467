"""What each driver does, for a reader who chooses one; a test holds it to the drivers."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverLine:
    """One driver in the overview."""

    device: str
    """What it drives."""
    does: tuple[str, ...]
    """Of battery, meter, relay, charger; set-points where it takes them and tells nothing."""
    transport: str
    """How it is reached."""
    watchdog: str
    """What ends a set-point when nobody renews it."""


CATALOGUE: Final[dict[str, DriverLine]] = {
    "abb-react2": DriverLine(
        device="ABB / FIMER REACT2",
        does=("battery", "meter"),
        transport="HTTP",
        watchdog="time-out in each command",
    ),
    "ocpp-charger": DriverLine(
        device="EV charger, OCPP 1.6 or 2.0.1",
        does=("charger",),
        transport="WebSocket; the charger dials in",
        watchdog="duration of the charging profile",
    ),
    "solaredge": DriverLine(
        device="SolarEdge StorEdge",
        does=("battery", "meter"),
        transport="Modbus TCP",
        watchdog="time-out register of remote control",
    ),
    "solaredge-grid-services": DriverLine(
        device="SolarEdge, through the maker's cloud",
        does=("set-points",),
        transport="HTTPS, cloud",
        watchdog="duration of the event",
    ),
    "sonnen-v1": DriverLine(
        device="sonnenBatterie eco 8, API v1",
        does=("battery", "meter"),
        transport="HTTP",
        watchdog="our dead-man process; the device keeps it for ever",
    ),
    "sonnen-v2": DriverLine(
        device="sonnenBatterie, API v2",
        does=("battery", "meter"),
        transport="HTTP",
        watchdog="our dead-man process; the device promises nothing",
    ),
    "studer-xtender": DriverLine(
        device="Studer Xtender, Xcom-232i",
        does=("battery", "meter", "relay"),
        transport="serial line",
        watchdog="our dead-man process; the device keeps it until a reset",
    ),
    "sunspec": DriverLine(
        device="any SunSpec inverter with storage",
        does=("battery", "meter"),
        transport="Modbus TCP or RTU",
        watchdog="revert timer, where the device has one; our dead-man process",
    ),
    "sunspec-adapter": DriverLine(
        device="SunSpec adapter of Burgio et al.",
        does=("battery",),
        transport="MQTT over TLS",
        watchdog="interval in each command",
    ),
}
"""By driver, as `devices.registry.DRIVERS` has them."""
