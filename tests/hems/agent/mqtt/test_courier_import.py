"""What the gateway loads at start stays small."""

import subprocess
import sys


def test_nothing_of_mqtt_and_mdns_is_loaded_before_it_is_needed():
    code = (
        "import sys, hems.agent.mqtt.courier\n"
        "print([name for name in ('paho', 'aiomqtt', 'zeroconf', 'amqtt', 'web3', 'pandas') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
