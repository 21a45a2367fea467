"""A home that can leave the grid: PV, a battery, its inverter and a relay, minute by minute."""
