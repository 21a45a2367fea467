"""Compiled functions that are copied into those that call them each step.

Compiled code counts who holds an array; a call that hands over twenty takes longer than its work.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def inlined(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return ``function`` compiled into its callers.

    numba keeps compiled callers on disk and does not see that this one was edited: remove
    ``__pycache__`` of this folder after an edit.
    """
    compile_function = numba.njit(nogil=True, error_model="numpy", inline="always")
    return cast("Callable[Arguments, Result]", compile_function(function))
