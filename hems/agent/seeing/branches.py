"""The house's meter, told apart by what the sun's inverter and the load's meter measure: pure."""

from dataclasses import replace

from devices.battery import MeterState


def told_apart(
    meter: MeterState, *, pv: MeterState | None = None, load: MeterState | None = None
) -> MeterState:
    """Return a meter's state with production and load that were measured in their branches.

    Parameters
    ----------
    meter : MeterState
        The grid connection's, right in ``load_w − pv_w`` and perhaps in no more.
    pv, load : MeterState, optional
        Of the sun's inverter and of the load's own meter.

    Notes
    -----
    Habib 2023, section 2: the sun's inverter over Modbus, the load's meter, and the battery's
    inverter, whose input and output tell the balance alone. Given both branches, both are taken as
    measured; given one, the other follows from the balance.
    """
    if pv is None and load is None:
        return meter
    net_w = meter.load_w - meter.pv_w
    if load is None and pv is not None:
        pv_w = max(pv.pv_w, -net_w)
        return replace(meter, pv_w=pv_w, load_w=net_w + pv_w)
    load_w = 0.0 if load is None else load.load_w
    pv_w = max(load_w - net_w, 0.0) if pv is None else pv.pv_w
    return replace(meter, pv_w=pv_w, load_w=load_w)
