"""How commands are sent and how long an answer is awaited."""

from dataclasses import dataclass

from aggregator.service.settings import is_level


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSettings:
    """How commands go out: the table ``[commands]``.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    per_s: float = 500.0
    """Commands a second at most, so that a fleet does not move all at once, 1..5000."""
    again_s: float = 10.0
    """After so long without an acknowledgement a command is sent again, 1..3600. [s]"""
    answer_s: float = 90.0
    """How long after its expiry an outcome is awaited, 1..3600; gateways take up to 60. [s]"""
    sender: str = ""
    """Our name in the topic of commands, where gateways ask for one; empty for none."""

    def __post_init__(self) -> None:
        for name, most in (("per_s", 5_000.0), ("again_s", 3_600.0), ("answer_s", 3_600.0)):
            value = getattr(self, name)
            if not 1 <= value <= most:
                msg = f"{name} is {value:g}; give 1..{most:g}"
                raise ValueError(msg)
        if self.sender and not is_level(self.sender):
            msg = f"sender is {self.sender!r}; give letters, digits and _ . - only"
            raise ValueError(msg)
