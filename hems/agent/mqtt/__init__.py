"""What passes between a gateway and its broker: telemetry there, commands here."""
