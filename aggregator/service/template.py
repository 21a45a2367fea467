"""The commented file that `gridpact serve --init` writes."""

from typing import Final

TEMPLATE: Final = """\
# The aggregator's service (gridpact serve --config service.toml). Every line that is commented out
# shows its default: without any of them everything is embedded in one folder.

[store]
# url = "postgresql://gridpact@localhost/gridpact"  # else a SQLite file in the folder
# password_file = "database.password"               # readable by its owner only

[broker]
# host = "broker.example.org"      # else a built-in broker, for a first run and small fleets
# port = 8883
# tls = true
# ca_file = "ca.pem"               # else the authorities that this computer trusts
# user = "operator"
# password_file = "broker.password"
# topic_root = "gridpact"
# protocol = "5"                   # or "3.1.1"
# listen = "127.0.0.1"             # address of the built-in broker

[ingest]
# name = "service"                 # of this process, when several share the messages
# share = ""                       # their group (MQTT 5)
# admit = true                     # whether a home is entered when it is first heard of
# batch_messages = 2000
# batch_wait_s = 0.05
# in_flight = 8000

[rest]
# listen = "127.0.0.1"
# port = 8080
# cert_file = "service.pem"        # for TLS, with key_file
# zone = "Europe/London"           # the market's

[retention]
# raw_days = 30
# minute_days = 90
# quarter_days = 1830              # days stay for ever
"""
"""All tables with their defaults."""
