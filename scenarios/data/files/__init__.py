"""Readers of real data, one function per file: units in the names, UTC outside, gaps explicit."""
