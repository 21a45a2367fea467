"""What can go wrong in a home.

ControlError
├── ControlInputError     what was observed cannot be used; mend the input   (also ValueError)
└── ForecastError         a forecaster was given too little or the wrong history (also ValueError)
"""


class ControlError(Exception):
    """Base of the errors of `hems`."""


class ControlInputError(ControlError, ValueError):
    """An observation that no decision can be based on."""


class ForecastError(ControlError, ValueError):
    """A history that no forecast can be based on."""
