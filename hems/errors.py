"""What can go wrong in a home.

ControlError
├── ControlInputError     what was observed cannot be used; mend the input   (also ValueError)
├── ForecastError         a forecaster was given too little or the wrong history (also ValueError)
├── AgentConfigError      the gateway's configuration cannot be used; mend it (also ValueError)
├── AgentRunningError     another agent runs for this home; stop it first
├── AgentFailedError      the agent ended on a fault of its own; start it again and report it
├── BrokerError           the MQTT broker does not answer; try again later
│   └── BrokerRefusedError    it does not let us do this; mend its access list or [broker]
├── CommandRefusedError   a command that is not carried out; `code` tells its sender why
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


class AgentFailedError(ControlError):
    """A fault in the agent's own code; the battery was sent back to self-consumption."""


class BrokerError(ControlError):
    """An MQTT broker that cannot be reached, or has gone."""


class BrokerRefusedError(BrokerError):
    """An MQTT broker that answers and refuses."""


class CommandRefusedError(ControlError):
    """A command of the operator that is not carried out.

    Parameters
    ----------
    code : str
        Why, in a word for programs.
    reason : str
        Why, in a line for people.
    correlation_id : str, optional
        What the command was called, where it could be read.
    """

    def __init__(self, code: str, reason: str, *, correlation_id: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.correlation_id = correlation_id


class StoreError(ControlError):
    """A state file that cannot be read or written."""
