"""Ctrl-C while compiled code runs."""

import pytest

from hems.interrupts import interrupts_told


def interrupted_while_it_loads():
    """Raise what numba raises where a signal comes while it loads a kernel."""
    interrupt = SystemError("loading: a result with an exception set")
    interrupt.__cause__ = KeyboardInterrupt()
    raise SystemError("the kernel: a result with an exception set") from interrupt


def test_an_interrupt_behind_a_system_error_is_the_interrupt():
    with pytest.raises(KeyboardInterrupt) as raised, interrupts_told():
        interrupted_while_it_loads()

    assert raised.value.__suppress_context__


@pytest.mark.parametrize("error", [SystemError("of the interpreter"), ValueError("of a user")])
def test_other_errors_stay_what_they_are(error):
    with pytest.raises(type(error)) as raised, interrupts_told():
        raise error

    assert raised.value is error
