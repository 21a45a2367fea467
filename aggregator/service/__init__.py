"""The aggregator's service: telemetry in, books kept, commands out; one process or several."""
