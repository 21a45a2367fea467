"""The battery behind both local APIs of an emulated sonnenBatterie."""

from collections import Counter
from datetime import datetime
from typing import Final

from devices.clock import Clock
from devices.emulators.house import EmulatedHome
from devices.errors import DeviceConfigError

MANUAL: Final = "1"
DEFAULT_MODE: Final = "2"
"""Operating modes: set-points hold, or the battery follows residual demand."""


class SonnenBatterie:
    """The battery behind both APIs: operating mode and two held set-points.

    Parameters
    ----------
    home : EmulatedHome
        Battery, sun and house.
    clock : Clock
        For the timestamp of a status.
    hold_s : float, optional
        How long a set-point lives. None is what the vendor documents: for ever. About 20 s was seen
        under contracts with a virtual power plant; what the battery then does is not documented,
        here it returns to self-consumption. [s]
    both : str
        What two set-points above 0 do, which is not documented: "net", "charge" or "discharge".
    """

    def __init__(
        self, home: EmulatedHome, *, clock: Clock, hold_s: float | None, both: str
    ) -> None:
        if both not in {"net", "charge", "discharge"}:
            msg = f"sonnen emulator: both is {both!r}; give net, charge or discharge"
            raise DeviceConfigError(msg)
        self.home = home
        self._clock = clock
        self._hold_s = hold_s
        self._both = both
        self._mode = DEFAULT_MODE
        self._held_w = {"charge": 0.0, "discharge": 0.0}
        self.writes: Counter[str] = Counter()

    @property
    def mode(self) -> str:
        """Operating mode now."""
        if self._mode == MANUAL and not self.home.steered:
            self._mode = DEFAULT_MODE
        return self._mode

    def set_mode(self, mode: str) -> None:
        """Change the operating mode; the held set-points stay."""
        self.writes["OperatingMode"] += 1
        self._mode = mode
        self._apply()

    def set_point(self, direction: str, power_w: float) -> None:
        """Hold a set-point; in other modes than manual it waits. [W]"""
        self.writes[f"setpoint/{direction}"] += 1
        self._held_w[direction] = power_w
        if self.mode == MANUAL:
            self._apply()

    def reboot(self) -> None:
        """Forget the set-points and come back in self-consumption."""
        self._held_w = {"charge": 0.0, "discharge": 0.0}
        self._mode = DEFAULT_MODE
        self._apply()

    def _apply(self) -> None:
        if self._mode != MANUAL:
            self.home.steer(None)
            return
        power_w = self._power_w()
        if self._hold_s is None:
            self.home.steer(lambda _load_w, _pv_w: power_w)
        else:
            until_s = self.home.now_s + self._hold_s
            self.home.steer(lambda _load_w, _pv_w: power_w, until_s=until_s)

    def _power_w(self) -> float:
        charge_w, discharge_w = self._held_w["charge"], self._held_w["discharge"]
        if charge_w and discharge_w and self._both != "net":
            return charge_w if self._both == "charge" else -discharge_w
        return charge_w - discharge_w

    def status(self) -> dict[str, object]:
        """Return the status in the vendor's names, signs and rounding."""
        state = self.home.state()
        usoc = round(100 * state.estimated_soc)
        return {
            "Apparent_output": abs(round(state.battery_power_w)),
            "BackupBuffer": "0",
            "BatteryCharging": state.battery_power_w > 10,
            "BatteryDischarging": state.battery_power_w < -10,
            "Consumption_W": round(state.load_w),
            "Fac": 50.0,
            "FlowConsumptionBattery": state.battery_power_w < -10,
            "FlowConsumptionGrid": state.grid_power_w > 10,
            "FlowConsumptionProduction": state.pv_w > 10,
            "FlowGridBattery": state.grid_power_w > 10 and state.battery_power_w > 10,
            "FlowProductionBattery": state.pv_w > 10 and state.battery_power_w > 10,
            "FlowProductionGrid": state.grid_power_w < -10,
            "GridFeedIn_W": -round(state.grid_power_w),
            "IsSystemInstalled": 1,
            "OperatingMode": self.mode,
            "Pac_total_W": -round(state.battery_power_w),
            "Production_W": round(state.pv_w),
            "RSOC": usoc,
            "RemainingCapacity_Wh": round(state.dc_voltage_v * 100 * state.estimated_soc),
            "Sac1": abs(round(state.battery_power_w)),
            "Sac2": None,
            "Sac3": None,
            "SystemStatus": "OffGrid" if self.home.islanded else "OnGrid",
            "Timestamp": _stamp(self._clock.utc()),
            "USOC": usoc,
            "Uac": 230,
            "Ubat": round(state.dc_voltage_v),
            "dischargeNotAllowed": False,
            "generator_autostart": False,
        }


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%d %H:%M:%S")
