"""What a gateway imports: small enough for a Raspberry Pi (§1): no pyomo, no pandas."""

import subprocess
import sys

GATEWAY = (
    "hems.mpc, hems.self_consumption, hems.see, hems.forecast, devices.simulated, "
    "contracts.client, contracts.connection.chain_web3"
)
HEAVY = ("pyomo", "pandas", "pyarrow", "plotly", "matplotlib", "scipy", "sklearn", "eth_tester")


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after ``code``."""
    tell = "import sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tell}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_a_gateway_loads_nothing_heavy():
    assert loaded_by(f"import {GATEWAY}").isdisjoint(HEAVY)


def test_the_values_both_sides_sign_need_no_chain():
    assert "web3" not in loaded_by("import contracts.promise, contracts.timegrid, contracts.ledger")


def test_the_overview_of_the_command_line_loads_no_command():
    loaded = loaded_by("import scenarios.cli")

    assert loaded.isdisjoint({*HEAVY, "web3", "highspy", "numpy"})
