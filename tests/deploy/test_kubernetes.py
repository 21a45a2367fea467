"""The manifests: whole, careful, and all of the service runs in them. No cluster took them yet."""

import os
import stat
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from aggregator.service.command import _chosen, _names
from aggregator.service.serve import PARTS, known_tables
from aggregator.service.settings import read_service

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"


def documents():
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    for name in kustomization["resources"]:
        yield from yaml.safe_load_all((FOLDER / name).read_text())


@pytest.fixture(scope="module")
def objects():
    return {(each["kind"], each["metadata"]["name"]): each for each in documents()}


@pytest.fixture(scope="module")
def pods(objects):
    kinds = {"Deployment", "StatefulSet"}
    return {
        name: each["spec"]["template"] for (kind, name), each in objects.items() if kind in kinds
    }


def containers(pod):
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def option(words, name):
    return words[words.index(name) + 1] if name in words else None


def prepared(pod, folder, *, name="ingest-0"):
    """Run what a pod's first container runs, with places in a folder, and never as root."""
    first = pod["spec"]["initContainers"][0]
    places = {
        "/given": folder / "given", "/run/secrets/gridpact": folder / "secrets",
        "/rendered": folder / "rendered", "/etc/gridpact": FOLDER,
    }  # fmt: skip
    words = first["command"]
    for mount in first["volumeMounts"]:
        words = [
            each.replace(mount["mountPath"], str(places[mount["mountPath"]])) for each in words
        ]
    subprocess.run(
        words, env={"PATH": os.environ["PATH"], "POD": name}, check=True, timeout=60,
        user="nobody" if os.geteuid() == 0 else None,
    )  # fmt: skip


@pytest.fixture
def volumes():
    """Return a folder with what a pod's volumes hold before it starts, everybody's."""
    with TemporaryDirectory(prefix="gridpact-pod-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for each in ("given", "secrets", "rendered"):
            (folder / each).mkdir()
            (folder / each).chmod(0o777)
        for secret in ("database.password", "operator.password", "ca.pem"):
            (folder / "given" / secret).write_text(f"{secret}\n")
            (folder / "given" / secret).chmod(0o444)
        yield folder


def read(folder, name, *, pod="ingest-0"):
    """Return settings as the pod's first container renders them."""
    path = folder / name
    path.write_text((FOLDER / name).read_text().replace("@POD@", pod))
    return read_service(path, folder=folder, known=known_tables())


def parts_of(pod):
    words = pod["spec"]["containers"][0]["args"]
    return _chosen(
        _names(option(words, "--only")) or list(PARTS), _names(option(words, "--without"))
    )


def test_every_part_runs_and_only_ingest_and_its_probes_run_twice(pods):
    service, ingest = parts_of(pods["gridpact"]), parts_of(pods["ingest"])

    assert ingest == ["ingest", "rest"]
    assert {*service, *ingest} == set(PARTS)
    assert set(service) & set(ingest) == {"rest"}


def test_the_service_is_one_and_never_two(objects):
    spec = objects["Deployment", "gridpact"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_ingest_grows_with_its_load_and_shares_the_messages(objects, tmp_path):
    scaler = objects["HorizontalPodAutoscaler", "ingest"]["spec"]
    target = scaler["scaleTargetRef"]
    assert (target["kind"], target["name"]) in objects
    assert 2 <= scaler["minReplicas"] < scaler["maxReplicas"]
    assert "replicas" not in objects["StatefulSet", "ingest"]["spec"]  # the scaler's
    found = [read(tmp_path, "ingest.toml", pod=f"ingest-{number}") for number in (0, 1)]

    assert [each.ingest.name for each in found] == ["ingest-0", "ingest-1"]
    assert {each.ingest.share for each in found} == {"ingest"}
    assert {each.broker.speaks_5 for each in found} == {True}
    assert max(each.ingest.session_s for each in found) <= 600


def test_the_services_file_is_one_that_it_takes(tmp_path):
    one, other = (read(tmp_path, name) for name in ("service.toml", "ingest.toml"))

    assert (one.store, one.broker) == (other.store, other.broker)


@pytest.mark.parametrize("name", ["gridpact", "ingest"])
def test_a_pods_first_container_may_run_again_and_its_secrets_are_its_users_alone(
    pods, volumes, name
):
    for text in ("old", "new"):  # the second time its files are there, and not to be written to
        given = volumes / "given" / "operator.password"
        given.chmod(0o644)
        given.write_text(text)
        given.chmod(0o444)
        prepared(pods[name], volumes)

    kept = {
        path.name: (path.read_text().strip(), stat.S_IMODE(path.stat().st_mode))
        for path in (volumes / "secrets").iterdir()
    }
    assert kept == {
        "database.password": ("database.password", 0o400),
        "operator.password": ("new", 0o400),
        "ca.pem": ("ca.pem", 0o400),
    }
    rendered = [path.read_text() for path in (volumes / "rendered").iterdir()]
    told = (FOLDER / "ingest.toml").read_text().replace("@POD@", "ingest-0")
    assert rendered == ([told] if name == "ingest" else [])


def test_a_pod_is_found_while_it_is_not_ready_and_may_take_its_time_to_start(objects, pods):
    for (kind, name), each in objects.items():
        if kind == "Service":
            assert each["spec"]["publishNotReadyAddresses"] is True, name
        if kind == "PodDisruptionBudget":
            assert each["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    for pod in pods.values():
        (container,) = pod["spec"]["containers"]
        probe = container["startupProbe"]
        # tables are brought forward before anything is answered
        assert probe["periodSeconds"] * probe["failureThreshold"] >= 1_800
        # Kubernetes would put GRIDPACT_PORT and its like beside our own variables
        assert pod["spec"]["enableServiceLinks"] is False


def test_every_container_is_kept_small(pods):
    for pod in pods.values():
        careful = pod["spec"]["securityContext"]
        assert (careful["runAsNonRoot"], careful["runAsUser"]) == (True, 10_001)
        assert careful["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["spec"]["automountServiceAccountToken"] is False
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in container["resources"]["limits"]
            assert container["image"] == "gridpact"


def test_every_mount_has_its_volume_and_every_probe_its_port(pods):
    for pod in pods.values():
        volumes = {each["name"] for each in pod["spec"]["volumes"]}
        mounted = {
            mount["name"] for each in containers(pod) for mount in each.get("volumeMounts", ())
        }
        assert mounted == volumes
        (container,) = pod["spec"]["containers"]
        ports = {each["name"] for each in container["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["port"] in ports
        paths = [container[each]["httpGet"]["path"] for each in ("livenessProbe", "readinessProbe")]
        assert paths == ["/health", "/ready"]


def test_selectors_find_the_pods_they_mean(objects, pods):
    def found(selector):
        return {
            name
            for name, pod in pods.items()
            if selector.items() <= pod["metadata"]["labels"].items()
        }

    for (kind, name), each in objects.items():
        if kind in {"Deployment", "StatefulSet", "PodDisruptionBudget"}:
            assert found(each["spec"]["selector"]["matchLabels"]) == {name}
        if kind == "Service":
            assert found(each["spec"]["selector"]) == {name}
    assert found(objects["NetworkPolicy", "gridpact"]["spec"]["podSelector"]["matchLabels"]) == set(
        pods
    )


def test_secrets_come_from_outside_and_no_manifest_holds_one(objects, pods, tmp_path):
    assert not [key for key in objects if key[0] == "Secret"]
    named = {
        volume["secret"]["secretName"]
        for pod in pods.values()
        for volume in pod["spec"]["volumes"]
        if "secret" in volume
    }
    guide = (FOLDER.parents[1] / "docs" / "deploy.md").read_text()
    assert named == {"gridpact"}
    assert "create secret generic gridpact" in guide
    for toml in ("service.toml", "ingest.toml"):
        settings = read(tmp_path, toml)
        paths = (
            settings.store.password_file, settings.broker.password_file, settings.broker.ca_file,
        )  # fmt: skip
        assert {path.parent.as_posix() for path in paths} == {"/run/secrets/gridpact"}
        assert [
            path.name for path in paths if f"--from-file=deploy/secrets/{path.name}" not in guide
        ] == []
