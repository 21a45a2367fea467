"""Compile the Solidity sources into the committed artifacts: ``python -m contracts.compile``."""

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCES = HERE / "src"
ARTIFACTS = HERE / "artifacts"
LIBRARIES = HERE.parent / "node_modules"
SOLC_SCRIPT = HERE / "solc.cjs"

CONTRACTS = ("Fleet", "Settlement", "TestToken")
"""What is deployed; each has an artifact of its own."""
SOLC_VERSION = "0.8.28"
SETTINGS: dict[str, Any] = {
    "evmVersion": "shanghai",
    "optimizer": {"enabled": True, "runs": 10_000},
    "viaIR": True,
    # Without the metadata's hash the bytecode depends on the code alone, not on comments or paths.
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
}

_IMPORT = re.compile(r'^import [^"]*"([^"]+)";', re.MULTILINE)
_OPENZEPPELIN = "@openzeppelin/contracts"


class CompilerMissingError(RuntimeError):
    """No Solidity compiler, or not the libraries, that the sources are built with."""


class SourceError(RuntimeError):
    """The compiler found a fault in our sources; warnings count."""


def compile_contracts() -> dict[str, dict[str, Any]]:
    """Return the artifact of every contract, as committed in ``contracts/artifacts``.

    Raises
    ------
    CompilerMissingError
        If neither Node with its packages nor a compiler of py-solc-x is there.
    SourceError
        If a source has an error, or one of ours a warning.
    """
    import solcx  # noqa: PLC0415 -- a developer's tool, absent from an installation

    texts = _texts(f"{name}.sol" for name in CONTRACTS)
    task = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in texts.items()},
        "settings": {
            **SETTINGS,
            # Only what is deployed: each library and base by itself is compiled for nothing.
            "outputSelection": {
                f"{name}.sol": {name: ["abi", "evm.bytecode.object"]} for name in CONTRACTS
            },
        },
    }
    try:
        output = solcx.compile_standard(task, solc_binary=_solc_binary())
    except solcx.exceptions.SolcError as error:
        raise SourceError(str(error).partition("\n\n> command:")[0]) from error
    _check_warnings(output)
    return {name: _artifact(name, output, texts) for name in CONTRACTS}


def source_hashes() -> dict[str, str]:
    """Return the SHA-256 of each of our own sources, by its path below ``contracts/src``."""
    return {
        path.relative_to(SOURCES).as_posix(): _sha256(path.read_text("utf-8"))
        for path in sorted(SOURCES.rglob("*.sol"))
    }


def stale(artifacts: dict[str, dict[str, Any]]) -> list[str]:
    """Return the names of those ``artifacts`` that are not in their files as they are here."""
    files = {name: ARTIFACTS / f"{name}.json" for name in artifacts}
    return [
        name
        for name, artifact in artifacts.items()
        if not files[name].is_file() or files[name].read_text("utf-8") != _text(artifact)
    ]


def write(artifacts: dict[str, dict[str, Any]]) -> None:
    """Write ``artifacts``, a JSON file each."""
    ARTIFACTS.mkdir(exist_ok=True)
    for name, artifact in artifacts.items():
        (ARTIFACTS / f"{name}.json").write_text(_text(artifact), "utf-8")


def _text(artifact: dict[str, Any]) -> str:
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def _check_warnings(output: dict[str, Any]) -> None:
    """Raise `SourceError` if the compiler warns of a source of ours."""
    for found in output.get("errors", []):
        if not found.get("sourceLocation", {}).get("file", "").startswith("@"):
            raise SourceError(found["formattedMessage"])


def _artifact(name: str, output: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    built = output["contracts"][f"{name}.sol"][name]
    own = {path: _sha256(text) for path, text in texts.items() if not path.startswith("@")}
    package = json.loads((LIBRARIES / _OPENZEPPELIN / "package.json").read_text("utf-8"))
    return {
        "contract": name,
        "abi": built["abi"],
        "bytecode": "0x" + built["evm"]["bytecode"]["object"],
        "compiler": SOLC_VERSION,
        "settings": {
            key: SETTINGS[key] for key in ("evmVersion", "optimizer", "viaIR", "metadata")
        },
        "sources": {
            path: own[path] for path in sorted(_reachable(f"{name}.sol", texts) & set(own))
        },
        "libraries": {_OPENZEPPELIN: package["version"]},
    }


def _texts(names: Iterable[str]) -> dict[str, str]:
    """Return the text of ``names`` and of all that they import, by source unit name."""
    texts: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in texts:
            texts[name] = _read(name)
            waiting.extend(_imports(name, texts[name]))
    return texts


def _reachable(name: str, texts: dict[str, str]) -> set[str]:
    """Return ``name`` and all source units that it imports, directly or not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        unit = waiting.pop()
        if unit not in found:
            found.add(unit)
            waiting.extend(_imports(unit, texts[unit]))
    return found


def _imports(name: str, text: str) -> list[str]:
    """Return the source unit names that the unit ``name`` imports."""
    return [_resolve(name, path) for path in _IMPORT.findall(text)]


def _resolve(name: str, path: str) -> str:
    if not path.startswith("."):
        return path
    parts = name.split("/")[:-1]
    for part in path.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _read(name: str) -> str:
    path = (LIBRARIES if name.startswith("@") else SOURCES) / name
    if not path.is_file():
        msg = f"source {name} is missing; install the libraries with `npm ci`"
        raise CompilerMissingError(msg)
    return path.read_text("utf-8")


def _solc_binary() -> Path:
    """Return the compiler: npm's behind `solc.cjs`, else one that py-solc-x has or fetches."""
    if shutil.which("node") and (LIBRARIES / "solc").is_dir():
        return SOLC_SCRIPT
    import solcx  # noqa: PLC0415 -- as above
    from requests import RequestException  # noqa: PLC0415 -- comes with solcx
    from solcx.exceptions import SolcInstallationError  # noqa: PLC0415 -- as above

    try:
        solcx.install_solc(SOLC_VERSION)
    except (RequestException, SolcInstallationError) as error:
        msg = f"no Solidity compiler {SOLC_VERSION}: install Node and run `npm ci` ({error})"
        raise CompilerMissingError(msg) from error
    return Path(solcx.install.get_executable(SOLC_VERSION))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    """Compile and write the artifacts; end with what is wrong, if something is."""
    try:
        write(compile_contracts())
    except (CompilerMissingError, SourceError) as error:
        sys.exit(f"contracts: {error}")


if __name__ == "__main__":
    main()
