"""Habib 2023 done again: fuzzy rules and state-of-charge rules in a microgrid with a relay."""
