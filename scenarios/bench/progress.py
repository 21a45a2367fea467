"""The progress bar of long measurements."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

Tell = Callable[[str, float, float], None]
"""Is told what is measured, how much of it is done, and how much there is."""


@contextmanager
def bench_progress(description: str = "{task.description}") -> Iterator[Progress]:
    """Yield a bar on stderr that says how far measurements are, where somebody sits there.

    Parameters
    ----------
    description : str
        How rich writes a task's description.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn(description),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        yield bar


@contextmanager
def told_progress() -> Iterator[Tell]:
    """Yield what moves one such bar: what is measured now, how much of how much."""
    with bench_progress() as bar:
        task = bar.add_task("", total=1)

        def tell(what: str, done: float, total: float) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield tell
