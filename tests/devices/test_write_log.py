"""Counts of writes: by device, register and day, and still there after a restart."""

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

    with pytest.raises(DeviceConfigError, match=r"notes.txt cannot be used \(.*\); name another"):
        WriteLog(other)
