"""The progress bar of long measurements."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


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
