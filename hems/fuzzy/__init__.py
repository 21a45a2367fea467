"""Fuzzy control at the edge: battery power and grid relay from balance, charge and price."""
