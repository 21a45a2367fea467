"""What operators say of alarms; whoever raises them implements `AlarmDesk`."""

from typing import Protocol


class AlarmDesk(Protocol):
    """Takes what an operator says of an alarm, and writes it and its line of the audit log."""

    def acknowledge(self, number: int, *, who: str, at_ms: int) -> None:
        """Mark an alarm as seen; again, nothing happens.

        Parameters
        ----------
        number : int
            The alarm's.
        who : str
            The token's id.
        at_ms : int
            When. [ms]

        Raises
        ------
        RegistryAbsentError
            Where there is none of that number.
        """

    def resolve(self, number: int, *, who: str, at_ms: int) -> None:
        """Mark an alarm as over; again, nothing happens.

        Parameters
        ----------
        number : int
            The alarm's.
        who : str
            The token's id.
        at_ms : int
            When. [ms]

        Raises
        ------
        RegistryAbsentError
            Where there is none of that number.
        """
