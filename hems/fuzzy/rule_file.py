"""Rules from a file: words, levels and a table, as TOML has them."""

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from hems.errors import ControlInputError
from hems.fuzzy.rule_base import Output, Rule, RuleBase
from hems.fuzzy.variables import CORNERS, Term, Variable


def packaged(name: str) -> RuleBase:
    """Return the rules of a file of this package, by its name without the ending."""
    return read_rules(files("hems.fuzzy").joinpath(f"{name}.toml").read_text("utf-8"))


def read_rules(text: str) -> RuleBase:
    """Return the rules that a file describes; `docs/fuzzy.md` says how one is written.

    Parameters
    ----------
    text : str
        TOML.

    Raises
    ------
    ControlInputError
        If it is none, or its rules have a fault.
    """
    try:
        told = tomllib.loads(text)
        inputs = tuple(_variable(entry) for entry in told["input"])
        outputs = tuple(_output(entry) for entry in told["output"])
        return RuleBase(
            inputs=inputs,
            outputs=outputs,
            rules=tuple(_rules(told["table"], outputs)),
            conjunction=told["and"],
        )
    except KeyError as error:
        msg = f"fuzzy rules: {error} is missing; add it"
        raise ControlInputError(msg) from error
    except (tomllib.TOMLDecodeError, TypeError, AttributeError, OverflowError) as error:
        msg = f"fuzzy rules: cannot be read: {error}"
        raise ControlInputError(msg) from error


def _variable(entry: dict[str, Any]) -> Variable:
    low, high = _numbers(entry["name"], entry["range"], (2,))
    terms = (_term(entry["name"], *item) for item in entry["terms"].items())
    return Variable(name=entry["name"], low=low, high=high, terms=tuple(terms))


def _term(variable: str, name: str, corners: list[float]) -> Term:
    given = _numbers(f"{variable} {name}", corners, (CORNERS - 1, CORNERS))
    begins, full, *rest = given
    # A triangle's peak is both of a trapezoid's upper corners.
    ceases, ends = rest if len(rest) > 1 else (full, rest[0])
    return Term(name=name, corners=(begins, full, ceases, ends))


def _numbers(name: str, given: object, counts: tuple[int, ...]) -> list[float]:
    """Return a list of so many numbers."""
    if (
        isinstance(given, list)
        and len(given) in counts
        and all(isinstance(each, int | float) for each in given)
    ):
        return [float(each) for each in given]
    msg = f"fuzzy rules: {name} has {given!r}; give {' or '.join(map(str, counts))} numbers"
    raise ControlInputError(msg)


def _output(entry: dict[str, Any]) -> Output:
    levels = {
        name: _numbers(f"{entry['name']} {name}", [level], (1,))[0]
        for name, level in entry["levels"].items()
    }
    return Output(name=entry["name"], levels=levels, none=entry.get("none"))


def _rules(table: dict[str, Any], outputs: tuple[Output, ...]) -> Iterator[Rule]:
    """Return the rules of a table: each row names words, then a cell of levels per column."""
    down, across, columns = table["down"], table["across"], table["columns"]
    for row in table["rows"]:
        words, cells = row[: len(down)], row[len(down) :]
        if len(cells) != len(columns):
            msg = f"fuzzy rules: row {' '.join(words)} has {len(cells)} cells; give {len(columns)}"
            raise ControlInputError(msg)
        for column, cell in zip(columns, cells, strict=True):
            levels = cell.split()
            if len(levels) != len(outputs):
                msg = f"fuzzy rules: cell {cell!r} has {len(levels)} levels; give {len(outputs)}"
                raise ControlInputError(msg)
            yield Rule(
                when={**dict(zip(down, words, strict=True)), across: column},
                then={output.name: level for output, level in zip(outputs, levels, strict=True)},
            )
