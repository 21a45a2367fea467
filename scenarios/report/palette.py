"""Colours by role, for the page in light and dark and for the picture.

The hues are those of Okabe and Ito, which colour-blind readers tell apart, made lighter on dark;
where two series meet, dash, fill or shape differ as well.
"""

LIGHT = {
    "page": "#f4f6f8",
    "card": "#ffffff",
    "ink": "#16212c",
    "muted": "#56636f",
    "rule": "#dbe1e7",
    "grid": "#e8ecf0",
    "band": "#e6f0f8",
    "accent": "#0072b2",
    "delivered": "#3a92cc",
    "idle": "#b4bfc9",
    "forecast": "#c65400",
    "actual": "#00845f",
    "soc": "#7d3f98",
    "spread": "#e7d9ee",
    "pv": "#e69f00",
    "pv-fill": "#fae7bd",
    "load": "#3b4855",
    "meter": "#0072b2",
    "day-ahead": "#0072b2",
    "retail": "#c65400",
    "imbalance": "#56636f",
    "credit": "#3a92cc",
    "saving": "#009e73",
    "plant": "#e69f00",
    "fee": "#8a97a3",
    "warn": "#8a3b00",
    "warn-back": "#fdebdc",
    "good": "#00664a",
    "good-back": "#ddf3ea",
}
"""On white."""

DARK = {
    "page": "#0e1318",
    "card": "#161d25",
    "ink": "#e9eef3",
    "muted": "#9fadba",
    "rule": "#2b3641",
    "grid": "#232d37",
    "band": "#1a2b3a",
    "accent": "#62b6ee",
    "delivered": "#3d97d3",
    "idle": "#4c5965",
    "forecast": "#ff9350",
    "actual": "#2ec796",
    "soc": "#cf9be6",
    "spread": "#3a2c45",
    "pv": "#f0b435",
    "pv-fill": "#463a1c",
    "load": "#c6d0da",
    "meter": "#56aeea",
    "day-ahead": "#56aeea",
    "retail": "#ff9350",
    "imbalance": "#9fadba",
    "credit": "#3d97d3",
    "saving": "#22b185",
    "plant": "#dd9f1f",
    "fee": "#6f7d8a",
    "warn": "#ffb27d",
    "warn-back": "#3b2413",
    "good": "#67dbb3",
    "good-back": "#12352a",
}
"""On near-black: the same roles."""


def css() -> str:
    """Return the roles as CSS variables; a dark system gets the dark ones."""
    return (
        f":root{{color-scheme:light dark;{_variables(LIGHT)}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}\n"
        f"@media print{{:root{{{_variables(LIGHT)}}}}}\n"
    )


def _variables(roles: dict[str, str]) -> str:
    return "".join(f"--{role}:{colour};" for role, colour in roles.items())
