"""Dispatch of a battery behind a meter with PV and load: five policies, their controllers."""
