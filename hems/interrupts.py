"""Ctrl-C while compiled code runs is Ctrl-C."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_told() -> Iterator[None]:
    """Raise KeyboardInterrupt where it is behind an error of compiled code.

    Notes
    -----
    A signal is taken wherever Python runs next, also where numba calls back to load what a kernel
    needs; numba then raises a SystemError with the interrupt as its cause.
    """
    try:
        yield
    except SystemError as error:
        behind: BaseException | None = error
        while behind is not None:
            if isinstance(behind, KeyboardInterrupt):
                raise behind from None
            behind = behind.__cause__ or behind.__context__
        raise
