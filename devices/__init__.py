"""The hardware: what a battery and a meter are, their physics and their simulated forms."""
