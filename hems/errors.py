"""What can go wrong in a home.

ControlError
├── ControlInputError     what was observed cannot be used; mend the input   (also ValueError)
├── ForecastError         a forecaster was given too little or the wrong history (also ValueError)
├── AgentConfigError      the gateway's configuration cannot be used; mend it (also ValueError)
├── AgentRunningError     another agent runs for this home; stop it first
└── StoreError            the gateway's memory cannot be read or written; see to the disk
"""


class ControlError(Exception):
    """Base of the errors of `hems`."""


class ControlInputError(ControlError, ValueError):
    """An observation that no decision can be based on."""


class ForecastError(ControlError, ValueError):
    """A history that no forecast can be based on."""


class AgentConfigError(ControlError, ValueError):
    """A configuration that no gateway can run with."""


class AgentRunningError(ControlError):
    """A second agent for a home that has one."""


class StoreError(ControlError):
    """A state file that cannot be read or written."""
