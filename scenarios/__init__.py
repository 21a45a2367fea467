"""Whole systems in simulated time: data, generator, closed loop, report, and the command line on top."""
