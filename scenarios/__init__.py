"""Whole systems in simulated time: data, closed loop, report, and the command line."""
