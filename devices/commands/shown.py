"""A device's readings as lines and as JSON."""

from dataclasses import asdict

from devices.battery import BatteryState, MeterState
from devices.errors import DeviceRefusedError
from devices.registry import Device
from devices.switches import ChargerState, RelayState

State = BatteryState | MeterState | RelayState | ChargerState


async def read_all(device: Device) -> dict[str, State]:
    """Return what a device tells, by battery, meter, relay and charger.

    Raises
    ------
    DeviceRefusedError
        If it has nothing that can be read.
    DeviceError
        If one of them cannot be read now.
    """
    states: dict[str, State] = {}
    if device.battery is not None:
        states["battery"] = await device.battery.read()
    if device.meter is not None:
        states["meter"] = await device.meter.read_meter()
    if device.relay is not None:
        states["relay"] = await device.relay.read_relay()
    if device.charger is not None:
        states["charger"] = await device.charger.read_charger()
    if not states:
        msg = f"{device.name} ({device.driver}) takes set-points and tells nothing of its device"
        raise DeviceRefusedError(msg)
    return states


def as_table(states: dict[str, State]) -> dict[str, dict[str, object]]:
    """Return readings as JSON carries them."""
    return {part: asdict(state) for part, state in states.items()}


def labelled(name: str, part: str, state: State) -> str:
    """Return one reading in words after its device and part, which may be called alike."""
    label = name if name == part else f"{name} {part}"
    return f"{label}: {line_of(state)}"


def named(name: str, line: str) -> str:
    """Return an error that names its device once: most do so by themselves."""
    return line if line.startswith((f"{name} ", f"{name}:")) else f"{name}: {line}"


def line_of(state: State) -> str:
    """Return one reading in words."""
    if isinstance(state, BatteryState):
        return _battery(state)
    if isinstance(state, MeterState):
        flow = "imports" if state.grid_power_w >= 0 else "exports"
        return (
            f"load {state.load_w:.0f} W, production {state.pv_w:.0f} W, "
            f"{flow} {abs(state.grid_power_w):.0f} W"
        )
    if isinstance(state, RelayState):
        return "closed: on the grid" if state.closed else "open: island"
    limit = "no limit" if state.limit_w is None else f"at most {state.limit_w:.0f} W"
    car = "no car"
    if state.connected:
        car = f"car takes {state.charger_power_w:.0f} W"
    return f"{car}, {state.session_wh / 1_000:.2f} kWh since plugged in, {limit}"


def _battery(state: BatteryState) -> str:
    power_w = round(state.battery_power_w)
    verb = "charges" if power_w > 0 else "discharges"
    does = "rests" if power_w == 0 else f"{verb} {abs(power_w)} W"
    who = "follows the house by itself" if state.following else "held at a set-point"
    parts = [f"{100 * state.soc:.1f} % charged", does, who]
    if state.temperature_c is not None:
        parts.append(f"{state.temperature_c:.1f} °C")
    if state.soh is not None:
        parts.append(f"health {100 * state.soh:.0f} %")
    return ", ".join(parts)
