"""service.toml: what it may say, and one line on what it may not."""

import pytest

from aggregator.service.errors import ServiceConfigError
from aggregator.service.serve import known_tables
from aggregator.service.settings import BrokerSettings, IngestSettings, read_service
from aggregator.service.template import TEMPLATE


@pytest.fixture
def read(tmp_path):
    def from_text(text):
        path = tmp_path / "service.toml"
        path.write_text(text)
        return read_service(path, folder=tmp_path / "folder", known=known_tables())

    return from_text


def test_a_file_without_settings_and_no_file_at_all_mean_the_same(read, tmp_path):
    empty = read(TEMPLATE)
    nothing = read_service(None, folder=tmp_path / "folder")
    names = ("store", "broker", "ingest", "retention", "database_url")
    assert [getattr(empty, name) for name in names] == [getattr(nothing, name) for name in names]
    assert empty.database_url == f"sqlite:///{tmp_path / 'folder' / 'service.db'}"


def test_paths_start_at_the_file_and_other_parts_read_their_own_tables(read, tmp_path):
    found = read(
        '[broker]\nhost = "b"\nca_file = "ca.pem"\n[rest]\nshare = "fleet"\n'
        '[store]\nurl = "postgresql://u@h/d"\n'
    )
    assert found.broker == BrokerSettings(host="b", ca_file=tmp_path / "ca.pem")
    assert found.broker.port_used == 8883
    assert found.table(IngestSettings, "rest") == IngestSettings(share="fleet")
    assert found.database_url == "postgresql://u@h/d"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[brokers]\n", r"service.toml: \[brokers\] is no table here; give store, broker"),
        ("[broker]\nhots = 1\n", r"service.toml \[broker\]: hots is no setting here"),
        ("[broker]\nport = 0\n", r"port is 0; give 1..65535"),
        ('[broker]\ntopic_root = "a/#"\n', r"topic_root is 'a/#'; give levels"),
        ('[broker]\nuser = "me"\n', r"user and password_file go together"),
        (
            '[broker]\nhost = "b"\ntls = false\nuser = "me"\npassword_file = "p"\n',
            r"no password is sent; set tls = true",
        ),
        ('[ingest]\nname = "a b"\n', r"name is 'a b'; give letters"),
        ("[ingest]\nin_flight = 5\n", r"in_flight is 5; give 10..65535"),
        ("[retention]\nraw_days = 3\n", r"raw_days, minute_days, quarter_days are 3, 90, 1830"),
        ("broker = 1\n", r"\[broker\] is no table here"),
        ("[broker\n", r"is no TOML"),
    ],
)
def test_what_cannot_be_used_is_one_line_with_place_and_remedy(read, text, line):
    with pytest.raises(ServiceConfigError, match=line) as refused:
        read(text)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(ServiceConfigError, match=r"none.toml: cannot be read"):
        read_service(tmp_path / "none.toml", folder=tmp_path)
