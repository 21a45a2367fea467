"""Counts of writes: by device, register and day, and still there after a restart."""

import sqlite3
from contextlib import closing
from datetime import date

import pytest

from devices.errors import DeviceConfigError
from devices.write_log import WriteLog

MONDAY, TUESDAY = date(2026, 6, 1), date(2026, 6, 2)


def test_writes_are_counted_by_device_register_and_day(tmp_path):
    with WriteLog(tmp_path / "log") as log:
        for device, register, day in (
            ("a", "mode", MONDAY),
            ("a", "mode", MONDAY),
            ("a", "mode", TUESDAY),
            ("a", "power", MONDAY),
            ("b", "mode", MONDAY),
        ):
            log.record(device, register, day)

    with WriteLog(tmp_path / "log") as log:
        assert log.counts("a", MONDAY) == {"mode": 2, "power": 1}
        assert log.count("a", "mode", TUESDAY) == 1
        assert log.count("b", "power", TUESDAY) == 0


def test_a_file_that_is_no_log_is_one_line_with_the_remedy(tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("not a database, but long enough to be taken for one" * 20)

    with pytest.raises(
        DeviceConfigError, match=r"notes.txt cannot be used \(.*\); mend it or name another"
    ):
        WriteLog(other)


def test_a_log_that_breaks_while_it_is_open_is_one_line_with_the_remedy(tmp_path):
    with WriteLog(tmp_path / "log") as log:
        _break(tmp_path / "log")

        for use in (
            lambda: log.record("a", "mode", MONDAY),
            lambda: log.count("a", "mode", MONDAY),
            lambda: log.counts("a", MONDAY),
        ):
            with pytest.raises(DeviceConfigError, match=r"log cannot be used \(.*\); mend it"):
                use()


def _break(path):
    """Take a log's tables away, as a damaged card does."""
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DROP TABLE writes")


def test_the_last_to_claim_a_device_is_in_charge_of_it(tmp_path):
    with WriteLog(tmp_path / "log") as one, WriteLog(tmp_path / "log") as other:
        assert one.claimed("a") is None

        first = one.claim("a")
        assert other.claimed("a") == first

        second = other.claim("a")
        assert second != first
        assert (one.claimed("a"), one.claimed("b")) == (second, None)

        other.unclaim("a", second)
        assert one.claimed("a") == first
