"""What a SunSpec device shows of its home, model by model."""

import math
from collections.abc import Callable
from typing import Final

from devices.drivers.sunspec_codec import Scalar
from devices.emulators.house import HomeState
from devices.emulators.sunspec_control import SunSpecMake
from devices.emulators.sunspec_image import Model

Reading = dict[str, Scalar]
_VOLTAGE_V: Final = 230.0
METER_IMPORT_WH: Final = 1_234_567
"""What the meter had counted before the home began: it is not new. [Wh]"""
METER_EXPORT_WH: Final = 765_432
"""Likewise. [Wh]"""


def chain_of(make: SunSpecMake) -> list[Model]:
    """Return the models of a device's chain, the common one first."""
    return [_common()] + [_MAKERS[model_id](model_id, make) for model_id in make.chain]


def _common() -> Model:
    names = {"Mn": "Gridpact", "Md": "Emulated hybrid", "Opt": "", "Vr": "1.0", "SN": "E-0001"}
    return Model(model_id=1, length=66, values={**names, "DA": 1})


def _inverter(model_id: int, make: SunSpecMake) -> Model:
    del make
    # whole numbers with scale factors up to 103, floating point from 111
    scales = {"A_SF": -2, "V_SF": -1, "W_SF": 0, "Hz_SF": -2, "WH_SF": 0, "DCW_SF": 0, "Tmp_SF": -1}
    scales |= {"VA_SF": 0, "VAr_SF": 0}

    def measured(state: HomeState) -> Reading:
        power_w = _ac_w(state)
        return {
            "A": abs(power_w) / _VOLTAGE_V,
            "AphA": abs(power_w) / _VOLTAGE_V,
            "PhVphA": _VOLTAGE_V,
            "W": power_w,
            "VA": abs(power_w),
            "VAr": 0.0,
            "Hz": 50.0,
            "WH": state.discharged_wh,
            "DCW": power_w,
            "TmpCab": state.cell_temperature_c,
            "St": 4,
        }

    values: Reading = {} if model_id >= 111 else {**scales}
    length = 60 if model_id >= 111 else 50
    return Model(model_id=model_id, length=length, values=values, measured=measured)


def _nameplate(model_id: int, make: SunSpecMake) -> Model:
    values: Reading = {
        "DERTyp": 82,
        "WRtg": make.power_max_w,
        "WRtg_SF": 0,
        "WHRtg": make.capacity_wh,
        "WHRtg_SF": _fitting(make.capacity_wh),
        "MaxChaRte": make.power_max_w,
        "MaxChaRte_SF": 0,
        "MaxDisChaRte": make.power_max_w,
        "MaxDisChaRte_SF": 0,
    }
    return Model(model_id=model_id, length=26, values=values)


def _storage(model_id: int, make: SunSpecMake) -> Model:
    def measured(state: HomeState) -> Reading:
        return {"ChaState": 100 * state.estimated_soc, "ChaSt": _charge_status(state)}

    values: Reading = {
        "WChaMax": make.power_max_w,
        "WChaGra": 100,
        "WDisChaGra": 100,
        "StorCtl_Mod": 0,
        "MinRsvPct": 0,
        "OutWRte": 100,
        "InWRte": 100,
        "InOutWRte_RvrtTms": 0 if make.timed else None,
        "ChaGriSet": 0,
        "WChaMax_SF": 0,
        "WChaDisChaGra_SF": 0,
        "MinRsvPct_SF": -2,
        "ChaState_SF": -2,
        "InOutWRte_SF": -2,
    }
    return Model(model_id=model_id, length=24, values=values, measured=measured)


def _meter(model_id: int, make: SunSpecMake) -> Model:
    del make

    def measured(state: HomeState) -> Reading:
        power_w = state.grid_power_w
        return {
            "W": power_w,
            "WphA": power_w,
            "PhV": _VOLTAGE_V,
            "Hz": 50.0,
            "TotWhImp": METER_IMPORT_WH + math.floor(state.imported_wh),
            "TotWhExp": METER_EXPORT_WH + math.floor(state.exported_wh),
        }

    if model_id > 210:  # floating point, without scales
        return Model(model_id=model_id, length=124, values={"Evt": 0}, measured=measured)
    scales = ("A_SF", "W_SF", "VA_SF", "VAR_SF", "PF_SF", "TotWh_SF")
    values: Reading = {**dict.fromkeys(scales, 0), "V_SF": -1, "Hz_SF": -2, "Evt": 0}
    return Model(model_id=model_id, length=105, values=values, measured=measured)


def _measurements(model_id: int, make: SunSpecMake) -> Model:
    del make

    def measured(state: HomeState) -> Reading:
        power_w = _ac_w(state)
        return {
            "W": power_w,
            "WL1": power_w,
            "VA": abs(power_w),
            "Var": 0.0,
            "A": abs(power_w) / _VOLTAGE_V,
            "AL1": abs(power_w) / _VOLTAGE_V,
            "VL1": _VOLTAGE_V,
            "LNV": _VOLTAGE_V,
            "Hz": 50.0,
            "TotWhInj": round(state.discharged_wh),
            "TmpCab": state.cell_temperature_c,
        }

    scales = ("W_SF", "VA_SF", "Var_SF", "TotWh_SF", "TotVarh_SF")
    tenths: Reading = {"A_SF": -2, "V_SF": -1, "Hz_SF": -3, "PF_SF": -3, "Tmp_SF": -1}
    values: Reading = {"ACType": 0, "St": 1, "InvSt": 3, "ConnSt": 1, "Alrm": 0, **tenths}
    values |= dict.fromkeys(scales, 0)
    return Model(model_id=model_id, length=153, values=values, measured=measured)


def _capacity(model_id: int, make: SunSpecMake) -> Model:
    rated = dict.fromkeys(("WMaxRtg", "WChaRteMaxRtg", "WDisChaRteMaxRtg"), make.power_max_w)
    scales = dict.fromkeys(("W_SF", "VA_SF", "Var_SF", "V_SF", "A_SF", "S_SF"), 0)
    return Model(model_id=model_id, length=50, values={**rated, **scales, "PF_SF": -3})


def _control(model_id: int, make: SunSpecMake) -> Model:
    idle = ("WSetEna", "WSet", "WSetRvrt", "WSetPct", "WSetPctRvrt", "WSetEnaRvrt", "WSet_SF")
    timer = 0 if make.timed else None
    values: Reading = {**dict.fromkeys(idle, 0), "WSetMod": 1, "WSetRvrtTms": timer}
    scales: Reading = {"WSetPct_SF": -1, "WMaxLimPct_SF": -1, "PF_SF": -3}
    return Model(model_id=model_id, length=65, values={**values, **scales})


def _store(model_id: int, make: SunSpecMake) -> Model:
    def measured(state: HomeState) -> Reading:
        soc = state.estimated_soc
        return {"SoC": 100 * soc, "WHAvail": make.capacity_wh * soc}

    scales: Reading = {"WH_SF": _fitting(make.capacity_wh), "Pct_SF": -2}
    values: Reading = {"WHRtg": make.capacity_wh, "SoH": 98.0, "Sta": 0, **scales}
    return Model(model_id=model_id, length=7, values=values, measured=measured)


def _ports(model_id: int, make: SunSpecMake) -> Model:
    del make

    def measured(state: HomeState) -> Reading:
        return {
            "DCW": _ac_w(state),
            "Prt[0].DCW": state.pv_w,
            "Prt[1].DCW": -state.battery_power_w,
            "Prt[1].Tmp": state.cell_temperature_c,
        }

    scales: Reading = {"DCA_SF": -1, "DCV_SF": -1, "DCW_SF": 0, "DCWH_SF": 0, "Tmp_SF": -1}
    kinds: Reading = {"Prt[0].PrtTyp": 0, "Prt[1].PrtTyp": 1, "Prt[0].IDStr": "PV"}
    values: Reading = {"NPrt": 2, "PrtAlrms": 0, **scales, **kinds, "Prt[1].IDStr": "Battery"}
    counts = (("NPrt", 2),)
    return Model(model_id=model_id, length=68, values=values, measured=measured, counts=counts)


def _trackers(model_id: int, make: SunSpecMake) -> Model:
    del make

    def measured(state: HomeState) -> Reading:
        return {
            "module[0].DCW": state.pv_w,
            "module[1].DCW": max(state.battery_power_w, 0.0),
            "module[2].DCW": max(-state.battery_power_w, 0.0),
        }

    names = {0: "String 1", 1: "StCha 2", 2: "StDisCha 3"}
    values: Reading = {"N": 3, "Evt": 0, "DCA_SF": 0, "DCV_SF": 0, "DCW_SF": 0, "DCWH_SF": 0}
    values |= {f"module[{i}].IDStr": name for i, name in names.items()}
    return Model(model_id=model_id, length=68, values=values, measured=measured)


def _bank(model_id: int, make: SunSpecMake) -> Model:
    def measured(state: HomeState) -> Reading:
        return {
            "SoC": 100 * state.estimated_soc,
            "ChaSt": _charge_status(state),
            "V": state.dc_voltage_v,
            "W": -state.battery_power_w,
        }

    values: Reading = {
        "WHRtg": make.capacity_wh,
        "WHRtg_SF": _fitting(make.capacity_wh),
        "WChaRteMax": make.power_max_w,
        "WDisChaRteMax": make.power_max_w,
        "WChaDisChaMax_SF": 0,
        "SoH": 98.0,
        "Typ": 4,
        "State": 3,
        "Hb": 0,
        "LocRemCtl": 0,
        "W_SF": 0,
        "V_SF": -1,
        "A_SF": -1,
        "SoC_SF": -2,
        "SoH_SF": -2,
    }
    return Model(model_id=model_id, length=62, values=values, measured=measured)


_Maker = Callable[[int, SunSpecMake], Model]
_MAKERS: Final[dict[int, _Maker]] = {
    **dict.fromkeys((101, 102, 103, 111, 112, 113), _inverter),
    **dict.fromkeys((201, 202, 203, 204, 211, 212, 213, 214), _meter),
    120: _nameplate,
    124: _storage,
    160: _trackers,
    701: _measurements,
    702: _capacity,
    704: _control,
    713: _store,
    714: _ports,
    802: _bank,
}


def _ac_w(state: HomeState) -> float:
    """Return what the inverter gives on its AC side: production less charging. [W]"""
    return state.pv_w - state.battery_power_w


def _charge_status(state: HomeState) -> int:
    """Return SunSpec's charge status: 2 empty, 3 discharging, 4 charging, 5 full, 6 holding."""
    if abs(state.battery_power_w) >= 1:
        return 4 if state.battery_power_w > 0 else 3
    if state.estimated_soc >= 0.999:
        return 5
    return 2 if state.estimated_soc <= 0.001 else 6


def _fitting(value: float) -> int:
    """Return the scale factor with which a value fits into sixteen bits."""
    power = 0
    while value / 10**power >= 2**16 - 1:
        power += 1
    return power
