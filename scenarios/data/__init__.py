"""Inputs of a fleet over a few days: real files, or the project's own generator.

Start at `scenarios.data.source.fleet_data`. `files` reads and checks, `models` generates, and
both end in one value, `scenarios.data.fleet_data.FleetData`. ``docs/data.md`` says what is combined
of what.
"""
