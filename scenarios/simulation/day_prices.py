"""Controllers that are told a day's prices in the morning."""

from typing import Protocol, runtime_checkable

from devices.arrays import FloatArray
from hems.controller import Controller


@runtime_checkable
class KnowsPrices(Protocol):
    """A controller that goes by where a price lies among the day's."""

    def knowing(self, price_per_mwh: FloatArray) -> Controller:
        """Return it for a day of these import prices, shape (slots,). [currency/MWh]"""
        ...


def knowing(controller: Controller, price_per_mwh: FloatArray) -> Controller:
    """Return a controller for a day: one that does not go by its prices as it is."""
    if isinstance(controller, KnowsPrices):
        return controller.knowing(price_per_mwh)
    return controller
