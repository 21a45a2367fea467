"""The yardsticks beside which a prosumer's rules are laid."""
