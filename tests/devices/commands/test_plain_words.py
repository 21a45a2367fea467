"""What `gridpact device read` says of what it cannot use or reach: one line in plain words."""

import pytest

from scenarios.cli import main


def run(capsys, *arguments):
    """Return exit code, stdout and stderr of one command, in this process."""
    with pytest.raises(SystemExit) as left:
        main(["device", *(str(argument) for argument in arguments)])
    streams = capsys.readouterr()
    return left.value.code, streams.out, streams.err


@pytest.mark.parametrize(
    ("content", "arguments", "line"),
    [
        (None, (), "home.toml cannot be read (No such file or directory)"),
        ("[battery", (), "home.toml is no TOML"),
        ("host = 'a'", (), "home.toml: host stands outside a table"),
        ("", (), "home.toml names no device"),
        ("[a]\ndriver = 'sonnen'", (), "home.toml [a]: driver is 'sonnen'; give one of abb-react2"),
        ("[a]\nhost = 'a'", (), 'home.toml [a] names no driver; add driver = "...", one of abb-'),
        ("[a]\ndriver = 'sonnen-v2'", (), "home.toml [a]: host is missing; give it"),
        (
            "[a]\ndriver = 'sonnen-v2'\nhost = '::'\nhots = 1",
            (),
            "home.toml [a]: hots is no setting",
        ),
        ("[a]\ndriver = 'sonnen-v2'\nhost = 'a'", ("b",), "home.toml has no [b]; it has a"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_one_line(
    capsys, tmp_path, content, arguments, line
):
    path = tmp_path / "home.toml"
    if content is not None:
        path.write_text(content)

    code, out, err = run(capsys, "read", path, *arguments)

    assert (code, out) == (1, "")
    assert line in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("driver", ["sunspec", "solaredge"])
def test_a_port_that_cannot_be_is_one_line(capsys, tmp_path, driver):
    path = tmp_path / "home.toml"
    path.write_text(f"[a]\ndriver = '{driver}'\nhost = '127.0.0.1'\nport = 99999\n")

    code, out, err = run(capsys, "read", path)

    assert (code, out) == (1, "")
    assert "99999" in err
    assert "Error" not in err


def test_a_host_that_does_not_exist_is_told_in_plain_words(capsys, tmp_path):
    path = tmp_path / "home.toml"
    path.write_text("[a]\ndriver = 'sonnen-v2'\nhost = 'nowhere.invalid'\n")

    code, _, err = run(capsys, "read", path)

    assert code == 1
    assert err.startswith("a GET /api/v2/status: no connection (no such host); see host")


def test_a_modbus_address_is_told_as_it_is_written(capsys, tmp_path):
    path = tmp_path / "home.toml"
    path.write_text("[a]\ndriver = 'sunspec'\nhost = '127.0.0.1'\nport = 1\n")

    _, _, err = run(capsys, "read", path)

    assert err.splitlines()[0] == (
        "a: no connection to 127.0.0.1:1; see that it is on and reachable"
    )


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (
            "driver = 'studer-xtender'\nport = '/dev/nope'",
            "a: line /dev/nope cannot be used (No such file or directory); see to the cable",
        ),
        (
            "driver = 'sunspec'\nserial = '/dev/nope'",
            "a: no connection to /dev/nope; see that it is on and reachable",
        ),
    ],
)
def test_a_serial_line_that_is_not_there_is_told_in_plain_words(capsys, tmp_path, table, line):
    path = tmp_path / "home.toml"
    path.write_text(f"[a]\n{table}\n")

    assert run(capsys, "read", path)[2].splitlines()[0] == line


def test_tls_files_that_are_not_there_are_one_line(capsys, tmp_path):
    path = tmp_path / "home.toml"
    path.write_text(
        "[a]\ndriver = 'sunspec-adapter'\nhost = '127.0.0.1'\nca_file = 'ca.pem'\n"
        "storage = 'sunspec'\nmodel = 'emulated'\naddress = '127.0.0.1'\nrated_w = 5000\n"
    )
    gone = run(capsys, "read", path)
    ca = tmp_path / "ca.pem"
    ca.write_text("nothing")
    unfit = run(capsys, "read", path)

    assert gone[2] == (
        f"gridpact: TLS files {ca}: No such file or directory; name those made with the adapter\n"
    )
    assert unfit[2] == (
        f"gridpact: TLS files {ca}: no certificate or key that can be used; "
        "name those made with the adapter\n"
    )
