"""Fuzzy rules held against another's inference, timed, and tuned on a year of data."""
