"""From the broker into the store: every message checked, none taken twice, none lost."""
