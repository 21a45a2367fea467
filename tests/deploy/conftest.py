"""What is deployed, and a copy of it in which the first start was made."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
HOSTS = ("broker.example.org", "192.0.2.7", "2001:db8::7")


class Deployed:
    """A folder as an operator has it."""

    def __init__(self, folder):
        self.folder = folder
        self.secrets = folder / "secrets"

    def run(self, *words):
        return subprocess.run(
            [self.folder / "first-start.sh", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def password(self, name):
        return (self.secrets / f"{name}.password").read_text().strip()

    def compose(self):
        return yaml.safe_load((self.folder / "compose.yaml").read_text())

    def rewritten(self, name, replaced, target):
        """Write one of its files with other places in it."""
        text = (self.folder / name).read_text()
        for old, new in replaced.items():
            assert old in text, old
            text = text.replace(old, str(new))
        target.write_text(text)
        return target


@pytest.fixture(scope="session")
def needs_openssl(left_out):
    if shutil.which("openssl") is None:
        left_out("openssl is needed: apt-get install openssl")


@pytest.fixture(scope="session")
def first(needs_openssl, tmp_path_factory):
    """Return a folder in which the first start was made; to be read only."""
    made = Deployed(tmp_path_factory.mktemp("first") / "deploy")
    shutil.copytree(DEPLOY, made.folder)
    done = made.run(*HOSTS)
    assert (done.returncode, done.stderr) == (0, "")
    assert made.run("gateway", "home-1").returncode == 0
    return made


@pytest.fixture
def fresh(needs_openssl, tmp_path):
    """Return a folder before the first start."""
    made = Deployed(tmp_path / "deploy")
    shutil.copytree(DEPLOY, made.folder)
    return made
