"""From a configuration's table to settings, or one line with the place and the remedy."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from devices.errors import DeviceConfigError
from devices.settings import read_secret, read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a driver that does not exist."""

    host: str
    port: int = 80
    timeout_s: float = 5.0
    inverted: bool = False
    token_file: Path | None = None

    def __post_init__(self) -> None:
        if not 0 < self.port < 65_536:
            msg = f"port is {self.port}, must be 1..65535"
            raise ValueError(msg)


def read(**table):
    return read_settings(Settings, table, where="home.toml [battery]")


def test_a_table_becomes_settings_with_their_types():
    found = read(host="10.0.0.5", timeout_s=3, token_file="token.txt", inverted=True)

    assert found == Settings(
        host="10.0.0.5", timeout_s=3.0, token_file=Path("token.txt"), inverted=True
    )
    assert type(found.timeout_s) is float


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({}, "home.toml [battery]: host is missing; give it"),
        (
            {"host": "a", "hots": "b"},
            "home.toml [battery]: hots is no setting here; "
            "it takes host, port, timeout_s, inverted, token_file",
        ),
        ({"host": 5}, "home.toml [battery]: host is 5; give a text"),
        ({"host": "a", "port": True}, "home.toml [battery]: port is true; give a whole number"),
        ({"host": "a", "inverted": 1}, "home.toml [battery]: inverted is 1; give true or false"),
        ({"host": "a", "timeout_s": "x"}, "home.toml [battery]: timeout_s is 'x'; give a number"),
        ({"host": "a", "port": 0}, "home.toml [battery]: port is 0, must be 1..65535"),
        ({"host": "a", "token_file": 5}, "home.toml [battery]: token_file is 5; give a file"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line(table, line):
    with pytest.raises(DeviceConfigError) as found:
        read(**table)

    assert str(found.value) == line


def test_a_secret_is_the_first_line_of_a_file_of_our_own(tmp_path):
    path = tmp_path / "token"
    path.write_text(" abc \nand a remark\n")
    path.chmod(0o600)

    assert read_secret(path) == "abc"


def test_a_secret_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "token"
    path.write_text("abc")
    path.chmod(0o640)

    with pytest.raises(DeviceConfigError, match="can be read by others; run: chmod 600") as found:
        read_secret(path)
    assert "abc" not in str(found.value)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "cannot be read (No such file or directory); name a readable file"),
        (b"", "is empty; put the secret on its first line"),
        (b"\n", "is empty; put the secret on its first line"),
        (b"\xff\xfe", "cannot be read (it is no text); name a text file"),
    ],
)
def test_a_secret_file_that_holds_none_is_refused(tmp_path, content, line):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)

    with pytest.raises(DeviceConfigError) as found:
        read_secret(path)
    assert str(found.value) == f"secret file {path} {line}"
