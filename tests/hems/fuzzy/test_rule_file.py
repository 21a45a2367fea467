"""The file of rules: Table A1 as it is printed, and faults that are told in a line each."""

from collections import Counter
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from hems.errors import ControlInputError
from hems.fuzzy.rule_file import packaged, read_rules

TEXT = files("hems.fuzzy").joinpath("habib2023.toml").read_text("utf-8")
A1 = """
EP-L SOC-H P+ R1 - R0 - R0 P+ R1 P+ R1
EP-L SOC-M P- R1 P- R1 P- R1 P- R1 P- R1
EP-L SOC-L P-- R1 P-- R1 P-- R1 P-- R1 P-- R1
EP-M SOC-H P+ R1 P+ R1 P+ R1 P+ R1 P++ R1
EP-M SOC-M P0 R1 P0 R1 - R0 - R0 P+ R1
EP-M SOC-L P- R1 P- R1 P- R1 - R0 P-- R1
EP-H SOC-H P++ R1 P++ R1 P++ R1 P++ R1 P++ R1
EP-H SOC-M P+ R1 - R0 - R0 - R0 P+ R1
EP-H SOC-L P- R1 P- R1 P- R1 - R0 P- R1
"""
"""Habib 2023, appendix A, row by row, columns from dP++ to dP--."""


def test_rules_are_those_of_table_a1():
    rules = packaged("habib2023").rules

    printed = [line.split() for line in A1.split("\n") if line]
    columns = ("dP++", "dP+", "dP0", "dP-", "dP--")
    assert [(dict(rule.when), dict(rule.then)) for rule in rules] == [
        (
            {"price": price, "soc": soc, "power_balance": column},
            {"battery_power": cells[2 * number], "relay": cells[2 * number + 1]},
        )
        for price, soc, *cells in printed
        for number, column in enumerate(columns)
    ]


def test_eighteen_rules_charge_eighteen_feed_and_nine_make_an_island():
    # P0 leaves the surplus to the grid: the paper counts it as feeding
    modes = {"P--": "charge", "P-": "charge", "P0": "feed", "P+": "feed", "P++": "feed", "-": "off"}
    rules = packaged("habib2023").rules

    assert Counter(modes[rule.then["battery_power"]] for rule in rules) == {
        "charge": 18,
        "feed": 18,
        "off": 9,
    }
    assert all((r.then["battery_power"] == "-") == (r.then["relay"] == "R0") for r in rules)


def test_levels_fall_in_our_sign_as_the_papers_rise():
    power, relay = packaged("habib2023").outputs

    assert dict(power.levels) == {"P--": 1.0, "P-": 0.5, "P0": 0.0, "P+": -0.5, "P++": -1.0}
    assert dict(relay.levels) == {"R0": 0.0, "R1": 1.0}


def test_table_has_an_axis_per_input_and_no_number_where_nothing_is_said():
    table = packaged("habib2023").table()

    assert table.shape == (5, 3, 3, 2)
    assert int(np.isnan(table[..., 0]).sum()) == 9
    assert not np.isnan(table[..., 1]).any()
    # dP-- is the first word of its input, SOC-L and EP-L those of theirs
    assert table[0, 0, 0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("printed", "instead", "told"),
    [
        (
            '"dP0" = [-0.5, 0.0, 0.5]',
            '"dP0" = [-0.5, -1.0, 0.5]',
            ["power_balance dP0: corners [-0.5, -1.0, -1.0, 0.5] fall; give numbers that rise "
             "from left to right"],
        ),
        (
            '"SOC-L" = [0.0, 0.0, 0.5, 0.7]',
            '"SOC-L" = [0.0, 0.0, 0.3, 0.4]',
            ["soc: no term holds at 0.4; let neighbours overlap"],
        ),
        (
            '"SOC-H" = [0.7, 0.9, 1.0, 1.0]',
            '"SOC-H" = [0.7, 0.9, 0.95, 0.96]',
            ["soc: no term holds at 0.96; let neighbours overlap"],
        ),
        (
            '"SOC-M" = [0.5, 0.7, 0.9]',
            '"SOC-M" = [0.5, 0.5, 0.9]',
            ["soc SOC-M: corners [0.5, 0.5, 0.5, 0.9] jump inside the range; slope each side that "
             "is not at its end"],
        ),
        (
            '"EP-H" = [0.5, 0.75, 1.0, 1.0]',
            '"EP-H" = [0.5, 0.75, 1.2, 1.2]',
            ["price EP-H: corners [0.5, 0.75, 1.2, 1.2] leave the range 0 to 1; stay inside it"],
        ),
        (
            '"P0" = 0.0',
            '"P0" = nan',
            ["battery_power P0: level nan; give a number"],
        ),
        (
            'and = "product"',
            'and = "sum"',
            ["and is 'sum'; choose one of product, min"],
        ),
        (
            '  ["EP-M", "SOC-L", "P- R1", "P- R1", "P- R1", "- R0", "P-- R1"],\n',
            "",
            [
                f"{balance} and SOC-L and EP-M: no rule; add one"
                for balance in ("dP--", "dP-", "dP0", "dP+", "dP++")
            ],
        ),
        (
            '"dP0", "dP-", "dP--"]',
            '"dP0", "dP-", "dP-"]',
            [
                f"{balance} and {soc} and {price}: {verdict}"
                for balance, verdict in (("dP--", "no rule; add one"), ("dP-", "2 rules; keep one"))
                for soc in ("SOC-L", "SOC-M", "SOC-H")
                for price in ("EP-L", "EP-M", "EP-H")
            ],
        ),
        (
            '["EP-H", "SOC-L", "P- R1"',
            '["EL-H", "SOC-L", "P- R1"',
            [
                f"rule if EL-H and SOC-L and {balance} then {then}: price knows no 'EL-H'; "
                "choose one of EP-L, EP-M, EP-H"
                for balance, then in (
                    ("dP++", "P- R1"), ("dP+", "P- R1"), ("dP0", "P- R1"),
                    ("dP-", "- R0"), ("dP--", "P- R1"),
                )
            ],
        ),
        (
            '["EP-H", "SOC-L", "P- R1"',
            '["EP-H", "SOC-L", "P- R2"',
            ["rule if EP-H and SOC-L and dP++ then P- R2: relay knows no 'R2'; "
             "choose one of R0, R1"],
        ),
        (
            'name = "relay"',
            'name = "battery_power"',
            ["battery_power names two inputs or outputs; name each once"],
        ),
        ("range = [-1.0, 1.0]", "range = [1.0, -1.0]",
         ["power_balance: range 1 to -1; give a lower end first"]),
        ("range = [-1.0, 1.0]", "range = [-1.0]",
         ["power_balance has [-1.0]; give 2 numbers"]),
        ('"dP-" = [-1.0, -0.5, 0.0]', '"dP-" = [-1.0, "half", 0.0]',
         ["power_balance dP- has [-1.0, 'half', 0.0]; give 3 or 4 numbers"]),
        ('["EP-L", "SOC-H", "P+ R1", ', '["EP-L", "SOC-H", ',
         ["row EP-L SOC-H has 4 cells; give 5"]),
        ('["EP-L", "SOC-H", "P+ R1", ', '["EP-L", "SOC-H", "P+", ',
         ["cell 'P+' has 1 levels; give 2"]),
        ('"P0" = 0.0', '"P0" = "idle"', ["battery_power P0 has ['idle']; give 1 numbers"]),
        ('"P0" = 0.0', f'"P0" = {10**400}', ["cannot be read: int too large to convert to float"]),
        ('across = "power_balance"\n', "", ["'across' is missing; add it"]),
        ('and = "product"', "and = product",
         ["cannot be read: Invalid value (at line 4, column 7)"]),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_a_line(printed, instead, told):
    assert TEXT.count(printed) == 1

    with pytest.raises(ControlInputError) as raised:
        read_rules(TEXT.replace(printed, instead))

    assert str(raised.value).split("\n") == [f"fuzzy rules: {line}" for line in told]


def test_a_table_of_something_else_is_told_for_each_rule():
    with pytest.raises(ControlInputError) as raised:
        read_rules(TEXT.replace('down = ["price", "soc"]', 'down = ["price", "wind"]'))

    lines = str(raised.value).split("\n")
    assert len(lines) == 45
    assert lines[0] == (
        "fuzzy rules: rule if EP-L and SOC-H and dP++ then P+ R1: "
        "name each of power_balance, soc, price, battery_power, relay once"
    )


def test_an_input_without_words_is_told():
    base = packaged("habib2023")
    bare = replace(base.inputs[0], terms=())

    with pytest.raises(ControlInputError, match=r"^fuzzy rules: power_balance: no terms; give at "):
        replace(base, inputs=(bare, *base.inputs[1:]))


def test_faults_of_several_places_are_told_together():
    text = TEXT.replace('and = "product"', 'and = "sum"').replace('"P0" = 0.0', '"P0" = inf')

    with pytest.raises(ControlInputError) as raised:
        read_rules(text)

    assert str(raised.value).split("\n") == [
        "fuzzy rules: and is 'sum'; choose one of product, min",
        "fuzzy rules: battery_power P0: level inf; give a number",
    ]
