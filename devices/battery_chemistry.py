"""Typical kinds of battery: the curves that `devices.battery_model` scales to a size."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Chemistry:
    """A typical kind of battery with its converter, per Wh of capacity."""

    efficiency_by_c_rate: dict[float, float]
    """One-way efficiency, converter included, at C-rates; rising. [1/h]"""
    efficiency_by_soc: dict[float, float]
    """Factor on it at states of charge; rising."""
    thermal_mass_j_per_k_wh: float
    """Heat that warms the cells by a kelvin, per Wh. [J/(K Wh)]"""
    thermal_loss_w_per_k_wh: float
    """Heat lost per kelvin above ambient, per Wh. [W/(K Wh)]"""
    power_share_by_c: dict[float, float]
    """Share of the rated power at cell temperatures; rising. [°C]"""
    open_circuit_by_soc: dict[float, float]
    """Open-circuit voltage over nominal at states of charge; rising."""
    loss_per_c_rate: float
    """Share of the power that the internal resistance takes, per C-rate: R·capacity/V². [h]"""
    gauge_gain_error: float
    """Typical share by which the coulomb counter is wrong."""
    gauge_bias_share: float
    """Typical offset of the coulomb counter over the rated power."""


LFP = Chemistry(
    efficiency_by_c_rate={0.0: 0.60, 0.01: 0.75, 0.03: 0.88, 0.1: 0.95, 0.3: 0.96, 1.0: 0.93},
    efficiency_by_soc={0.0: 0.98, 0.1: 1.0, 0.9: 1.0, 1.0: 0.99},
    # about 10 kg and 1.1 kJ/(kg K) per kWh; 5 W/K for 10 kWh
    thermal_mass_j_per_k_wh=11.0,
    thermal_loss_w_per_k_wh=0.0005,
    power_share_by_c={0.0: 0.0, 10.0: 1.0, 45.0: 1.0, 55.0: 0.0},
    open_circuit_by_soc={
        0.0: 0.85,
        0.05: 0.95,
        0.2: 1.005,
        0.5: 1.028,
        0.9: 1.04,
        0.97: 1.045,
        1.0: 1.08,
    },
    loss_per_c_rate=0.05,
    gauge_gain_error=0.01,
    gauge_bias_share=0.0005,
)
"""Lithium iron phosphate: a voltage that hardly tells the charge, a converter poor at part load.

Chosen by us as plausible for the kind, measured on no product. Hesse et al. review such systems
(doi:10.3390/en10122107). Data-sheets bar charging below 0 °C and work above 55 °C; many allow
discharge in the cold, which one curve for both directions does not.
"""

LEAD_ACID = Chemistry(
    efficiency_by_c_rate={0.0: 0.60, 0.01: 0.75, 0.05: 0.88, 0.1: 0.89, 0.2: 0.86, 0.5: 0.80},
    efficiency_by_soc={0.0: 0.97, 0.2: 1.0, 0.8: 1.0, 0.9: 0.97, 1.0: 0.88},
    # about 30 kg and 0.9 kJ/(kg K) per kWh; 15 W/K for 26 kWh
    thermal_mass_j_per_k_wh=27.0,
    thermal_loss_w_per_k_wh=0.0006,
    power_share_by_c={0.0: 0.0, 10.0: 1.0, 45.0: 1.0, 55.0: 0.0},
    open_circuit_by_soc={0.0: 0.96, 0.2: 0.985, 0.5: 1.015, 0.8: 1.045, 1.0: 1.065},
    loss_per_c_rate=0.13,
    gauge_gain_error=0.03,
    gauge_bias_share=0.001,
)
"""Lead-acid: a voltage that falls with the charge, and a last tenth that charges poorly (gassing).

Chosen by us as plausible for the kind, measured on no product.
"""
