"""Numbers as a reader wants them: a sensible number of digits, always with the unit."""

SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}
"""Signs of currencies; another currency is named by its code."""
NBSP = "\N{NO-BREAK SPACE}"
"""Keeps a number and its unit on one line."""
MICRO = 1_000_000
"""Micro-units in a unit of money."""


def count(value: float) -> str:
    """Return a whole number with its thousands set apart."""
    return _signed(f"{round(value):,d}")


def kwh(energy_wh: float, digits: int | None = None) -> str:
    """Return an energy in kWh, to three or four significant digits unless told how many."""
    energy_kwh = energy_wh / 1000
    if digits is None:
        digits = 2 if abs(energy_kwh) < 10 else 1
    return _signed(f"{energy_kwh:,.{digits}f}") + f"{NBSP}kWh"


def decimal(value: float, digits: int = 1, *, plus: bool = False) -> str:
    """Return a bare number for a column whose heading names the unit; ``plus`` signs gains too."""
    text = f"{value:,.{digits}f}"
    unsigned = _signed(text)
    return f"+{unsigned}" if plus and unsigned.strip("0.,") and value > 0 else unsigned


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share in per cent, or a dash if there is none."""
    return "–" if share is None else _signed(f"{100 * share:.{digits}f}") + f"{NBSP}%"


def money(amount: float, currency: str, digits: int = 2) -> str:
    """Return an amount with its currency."""
    text = f"{abs(amount):,.{digits}f}"
    sign = "−" if amount < 0 and float(text.replace(",", "")) else ""
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{text}" if symbol else f"{sign}{text} {currency}"


def money_micro(amount_micro: int, currency: str, digits: int = 2) -> str:
    """Return an amount of micro-units, exact if ``digits`` is 6."""
    if digits == 6:
        whole, part = divmod(abs(amount_micro), MICRO)
        text, sign = f"{whole:,d}.{part:06d}", "−" if amount_micro < 0 else ""
        symbol = SYMBOLS.get(currency)
        return f"{sign}{symbol}{text}" if symbol else f"{sign}{text} {currency}"
    return money(amount_micro / MICRO, currency, digits)


def seconds(duration_s: float) -> str:
    """Return a duration in seconds."""
    return f"{duration_s:.{2 if duration_s < 10 else 1}f}{NBSP}s"


def plural(number: int, one: str, many: str = "") -> str:
    """Return ``1 home`` or ``70 homes``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def _signed(text: str) -> str:
    """Set a real minus, and none before zero."""
    if text.startswith("-"):
        return text[1:] if not text.strip("-0.,") else "−" + text[1:]
    return text
