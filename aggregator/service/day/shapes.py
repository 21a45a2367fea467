"""What requests about market days bring and are told."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class AcceptedBody(BaseModel):
    """What the market took in one interval."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval: Annotated[int, Field(strict=True, ge=0, lt=2**32)]
    """Number of the interval, as the offer has it."""
    quantity_wh: Annotated[int, Field(strict=True, ge=0, lt=2**32)]
    """Quantity that was accepted. [Wh]"""
    price_per_mwh: Annotated[float, Field(strict=True, ge=-1e6, le=1e6, allow_inf_nan=False)]
    """Clearing price. [currency/MWh]"""


class ResultBody(BaseModel):
    """What the market took of a day's offer; an interval that is not named was not taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accepted: Annotated[list[AcceptedBody], Field(max_length=100)]
    """By interval, each once."""


class ShownRun(BaseModel):
    """One time that a step was run."""

    number: int
    """Its number."""
    step: str
    """Which step, or ``result`` where the market's was entered."""
    day: date
    """Of which local day."""
    state: Literal["running", "done", "unfinished", "failed"]
    """What became of it; what is unfinished was kept and is to be run again."""
    began_ms: int
    """When it began. [ms]"""
    ended_ms: int | None
    """When it ended. [ms]"""
    asked_by: str
    """Who asked for it: a token's id, ``operator@HOST`` or ``schedule``."""
    line: str
    """What happened."""
    input_hash: str | None
    """Of all that it was made from."""


class Earned(BaseModel):
    """What a home, or the fleet, earned and paid on a day."""

    day: date
    """The local day."""
    home: str | None
    """Whose; null where it is the fleet's."""
    revenue_micro: int
    """A home's share of what the market paid; of the fleet, all of it. [micro]"""
    cost_micro: int
    """A home's retail bill; of the fleet, what homes are owed and what was lost. [micro]"""
    baseline_micro: int | None
    """What the home's load alone would have cost. [micro]"""
    exported_wh: int
    """Net export in the settled intervals. [Wh]"""


class Scored(BaseModel):
    """How far a battery can be counted on."""

    home: str
    """Whose."""
    score: float
    """0..1: the part of its capacity that plans count on."""
    failures: int
    """Orders of the day that it refused."""
    disconnected_ms: int
    """How long nothing was heard of it on the day. [ms]"""
    missed: int
    """Orders of the day that it did not answer."""


class ForecastScore(BaseModel):
    """How far off a forecast of a day was."""

    source: str
    """Which forecast."""
    quantity: str
    """Of what, with its unit."""
    mean_absolute: float
    """Mean absolute error of an interval."""
    bias: float
    """Mean of forecast less what came."""
    relative: float | None
    """Sum of absolute errors over what came; null where nothing came."""
    slots: int
    """Intervals that were compared."""
