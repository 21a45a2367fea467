"""What a gateway's answers say of a command, whatever their number and order (pure).

A command may be sent twice, under one correlation id; then it is answered twice. The second time
the gateway says ``repeated`` and tells the outcome of the first, if it knows it. What was done may
be ``aborted`` later: that is a further outcome, and then the one that counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aggregator.service.commands.states import ABORTED, ACCEPTED, DONE, EXPIRED, REFUSED

OUTCOME: Final = "outcome"
"""Kind of an answer: what became of it; the other kind says whether it was taken."""
REPEATED: Final = "repeated"
"""Code of a gateway that has the command already."""
_WORDS: Final = (DONE, REFUSED, EXPIRED, ABORTED)
_REASON_MOST: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A gateway's word."""

    kind: str
    """``acknowledgement`` or ``outcome``."""
    heard_ms: int
    """When we heard it. [ms]"""
    body: Mapping[str, Any]
    """All of it."""

    def text(self, name: str) -> str | None:
        """Return one of its texts, None where it is none."""
        found = self.body.get(name)
        return found[:_REASON_MOST] if isinstance(found, str) else None

    @property
    def takes(self) -> bool:
        """Whether it says that the gateway has the command."""
        return self.body.get("accepted") is True or self.text("code") == REPEATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known of a command: columns of its row."""

    state: str
    """accepted, done, refused, expired or aborted."""
    acknowledged_ms: int | None = None
    """When its first acknowledgement was heard. [ms]"""
    finished_ms: int | None = None
    """When the answer was heard that ended it. [ms]"""
    outcome: str | None = None
    """The gateway's word."""
    code: str | None = None
    """Why, in a word for programs."""
    reason: str | None = None
    """Why, in the gateway's words."""
    late: bool = False
    """Whether it was done, or not, after its time; what is aborted was done before."""


def judge(answers: Sequence[Answer], *, until_ms: int) -> Verdict:
    """Return what answers say of a command.

    Parameters
    ----------
    answers : sequence of Answer
        At least one, in the order in which they were heard.
    until_ms : int
        An outcome that is heard later is late. [ms]
    """
    outcomes = [each for each in answers if each.kind == OUTCOME]
    taken = [each for each in answers if each.kind != OUTCOME]
    acknowledged_ms = taken[0].heard_ms if taken else None
    refusals = [each for each in taken if not each.takes]
    final = _final(outcomes)
    if final is None and len(refusals) < len(taken):
        return Verdict(state=ACCEPTED, acknowledged_ms=acknowledged_ms)
    if final is None:
        final = refusals[0]
    begun = next((each for each in outcomes if each.text("outcome") == DONE), final)
    return _ended(final, acknowledged_ms, late=begun.heard_ms > until_ms)


def _ended(final: Answer, acknowledged_ms: int | None, *, late: bool) -> Verdict:
    word, code = final.text("outcome"), final.text("code")
    if word not in _WORDS:  # a refused acknowledgement, or a word that we do not know
        word = EXPIRED if code == EXPIRED else REFUSED
    return Verdict(
        state=word,
        acknowledged_ms=acknowledged_ms,
        finished_ms=final.heard_ms,
        outcome=word,
        code=None if word == DONE else code,
        reason=None if word == DONE else final.text("reason"),
        late=late,
    )


def _final(outcomes: Sequence[Answer]) -> Answer | None:
    """Return the outcome that counts: what was done was done, though a second one was refused."""
    aborted = [each for each in outcomes if each.text("outcome") == ABORTED]
    done = [each for each in outcomes if each.text("outcome") == DONE]
    own = [each for each in outcomes if each.text("code") != REPEATED]
    told = [each for each in aborted if each in own]
    return next(iter([*told, *aborted, *done, *own, *outcomes]), None)
