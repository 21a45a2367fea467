"""The page on writing a driver keeps its word: its very code runs, and it is short."""

import ast
import asyncio
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from devices import registry
from devices.clock import SystemClock
from devices.errors import DeviceReplyError
from devices.write_log import WriteLog

PAGE = Path(__file__).parents[2] / "docs" / "write-a-driver.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write the page's files to a folder of their own."""
    found = re.findall(r"^## `(\S+?)`.*?^```python\n(.*?)^```", PAGE.read_text(), re.S | re.M)
    place = tmp_path_factory.mktemp("page")
    for name, code in found:
        (place / name).write_text(code)
    return place


def code_lines(path):
    """Count a file's lines that are neither blank nor its docstring."""
    text = path.read_text()
    docstring = ast.get_docstring(ast.parse(text), clean=False) or ""
    return sum(bool(line.strip()) for line in text.splitlines()) - len(docstring.splitlines())


def test_page_has_its_three_files(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        "acme.py",
        "acme_emulator.py",
        "test_acme.py",
    ]


@pytest.mark.parametrize(("name", "lines"), [("acme.py", 60), ("test_acme.py", 40)])
def test_files_are_as_short_as_the_page_says(folder, name, lines):
    assert code_lines(folder / name) <= lines


def test_the_code_of_the_page_passes_the_suite_that_the_page_runs(folder):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"),
            *("-c", "/dev/null", "--rootdir", str(folder), str(folder)),
        ],
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 passed" in done.stdout


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (b"<html>", "shed answers no object: "),
        (b"", "shed answers no object: "),
        (b"x" * 100_000, "shed answers no object: "),
        (b"[" * 50_000, "shed answers no object: "),
        (b"5", "shed answers no object: "),
        (b"{}", "shed state: no soc in {}; ask again"),
        (b'{"soc": NaN, "w": 0}', "shed state: no soc in "),
        (b'{"soc": 50, "w": -Infinity}', "shed state: no w in "),
        (b'{"soc": 50, "w": -3276800}', "shed state: no w in "),
        (b'{"soc": 65535, "w": 0}', "shed state: no soc in "),
        (b'{"soc": "full", "w": 0}', "shed state: no soc in "),
    ],
    ids=range(11),
)
def test_the_driver_of_the_page_opens_by_its_name_and_refuses_rubbish(
    folder, monkeypatch, answer, line
):
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setitem(registry.DRIVERS, "acme", "acme:open_acme")

    async def rubbish(reader, writer):
        await reader.readline()
        writer.write(answer + b"\n")
        writer.close()
        with suppress(ConnectionError):  # the driver does not hear a long answer out
            await writer.wait_closed()
        over.set()

    over = asyncio.Event()

    async def story():
        server = await asyncio.start_server(rubbish, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with WriteLog() as log:
            site = registry.Site(name="shed", where="[shed]", clock=SystemClock(), log=log)
            table = {"driver": "acme", "host": "127.0.0.1", "port": port}
            device = await registry.open_device(table, site)
            with pytest.raises(DeviceReplyError, match=line):
                await device.battery.read()
            await device.close()
        await asyncio.wait_for(over.wait(), 5)
        server.close()
        await server.wait_closed()

    asyncio.run(story())
