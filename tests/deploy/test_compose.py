"""The compose file: whole, careful, and its settings are ones that the programs take."""

import re
import socket
import subprocess

import pytest

from aggregator.service.serve import known_tables
from aggregator.service.settings import read_service


@pytest.fixture(scope="module")
def compose(first):
    return first.compose()


def each_mount(compose):
    for name, service in compose["services"].items():
        for mount in service.get("volumes", ()):
            source, target, *mode = mount.split(":")
            yield name, source, target, mode


def test_every_program_is_kept_small(compose):
    for name, service in compose["services"].items():
        assert service["user"].startswith("${GRIDPACT_UID:?"), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        assert ":" in service["image"], name
        assert not service["image"].endswith(":latest"), name


def test_the_brokers_health_is_that_somebody_listens_at_its_port(compose):
    kind, command = compose["services"]["broker"]["healthcheck"]["test"]
    assert (kind, ":22B3 " in command) == ("CMD-SHELL", int("22B3", 16) == 8_883)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        asked = command.replace(":22B3 ", f":{port:04X} ")
        heard = subprocess.run(["sh", "-c", asked], timeout=60, check=False).returncode
        with socket.create_connection(("127.0.0.1", port)) as one:
            ours = f":{one.getsockname()[1]:04X} "  # connected, and nobody listens there
            other = command.replace(":22B3 ", ours)
            alone = subprocess.run(["sh", "-c", other], timeout=60, check=False).returncode

    assert (heard, alone) == (0, 1)


def test_the_database_is_healthy_by_tcp_where_its_image_is_not_while_it_makes_it(compose):
    command = compose["services"]["database"]["healthcheck"]["test"]
    assert command[command.index("--host") + 1] == "127.0.0.1"


def test_nothing_but_the_broker_is_open_to_the_network(compose):
    ports = {name: service.get("ports", []) for name, service in compose["services"].items()}

    assert ports.pop("broker") == ["8883:8883"]
    assert [
        each for some in ports.values() for each in some if not each.startswith("127.0.0.1:")
    ] == []


def test_every_mounted_file_is_there_and_what_is_ours_is_read_only(compose, first):
    for name, source, _, mode in each_mount(compose):
        assert (first.folder / source).exists(), (name, source)
        assert mode == ([] if source.startswith("./state/") else ["ro"]), (name, source)


def test_every_secret_is_a_file_that_the_first_start_makes_and_somebody_reads(compose, first):
    declared = compose["secrets"]
    used = {each for service in compose["services"].values() for each in service.get("secrets", ())}

    assert used == set(declared)
    assert [each for each in declared.values() if set(each) != {"file"}] == []
    assert [each for each in declared.values() if not (first.folder / each["file"]).exists()] == []


def test_no_password_stands_in_an_environment_or_a_file_of_ours(compose, first):
    for service in compose["services"].values():
        for key, value in service.get("environment", {}).items():
            secret = re.search(r"(?i)passw|token|secret", key)
            assert not secret or value.startswith("/run/secrets/"), key
    for path in first.folder.rglob("*"):
        ours = path.is_file() and not path.is_relative_to(first.secrets)
        text = path.read_text() if ours else ""
        assert not re.search(
            r"(?i)(admin|changeme|password)[\"']?\s*[:=]\s*[\"']?(admin|changeme|password)\b", text
        )
        assert first.password("operator") not in text


def test_secrets_are_mounted_where_they_are_read(compose, first):
    for name, service in compose["services"].items():
        read = {
            "service": ["service.toml"],
            "broker": ["mosquitto/mosquitto.conf"],
            "database": ["postgres/reader.sh"],
            "prometheus": ["prometheus/prometheus.yml"],
            "grafana": ["grafana/provisioning/datasources/gridpact.yaml"],
        }[name]
        texts = [(first.folder / each).read_text() for each in read]
        texts += [str(each) for each in service.get("environment", {}).values()]
        asked = {each for text in texts for each in re.findall(r"/run/secrets/([a-z-]+)", text)}
        assert asked == set(service["secrets"]), name


def test_the_services_file_is_one_that_it_takes_and_names_its_neighbours(compose, first):
    settings = read_service(
        first.folder / "service.toml", folder=first.folder, known=known_tables()
    )

    database = compose["services"]["database"]["environment"]
    user, name = database["POSTGRES_USER"], database["POSTGRES_DB"]
    assert settings.database_url == f"postgresql://{user}@database/{name}"
    assert settings.broker.host in compose["services"]
    assert (settings.broker.tls, settings.broker.port_used, settings.broker.user) == (
        True, 8_883, "operator",
    )  # fmt: skip
    assert compose["services"]["service"]["ports"] == ["127.0.0.1:8080:8080"]
    assert settings.tables["rest"] == {"listen": "0.0.0.0"}


def test_who_waits_for_a_healthy_neighbour_has_one_with_a_health_check(compose):
    services = compose["services"]
    for service in services.values():
        for other, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in services[other]
