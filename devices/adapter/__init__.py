"""The SunSpec adapter of Burgio et al. 2023, §2.3: MQTT on one side, the inverter on the other."""
