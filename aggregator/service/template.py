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
# session_s = 604800               # the broker keeps what comes while we are away (MQTT 5)

[rest]
# listen = "127.0.0.1"
# port = 8080
# cert_file = "service.pem"        # for TLS, with key_file

[page]
# currency = "GBP"                 # the fleet's
# explorer_url = ""                # such as "https://explorer.example.org/tx/{transaction}"

[commands]
# per_s = 500.0                    # commands a second at most
# again_s = 10.0                   # sent again after so long without an acknowledgement
# answer_s = 90.0                  # how long after its expiry an outcome is awaited
# sender = ""                      # our name in the topic, where gateways ask for one

[alarms]
# temperature_most_c = 50.0
# soc_margin = 0.02                # outside of the battery's window, 0..1
# silent_s = 300.0
# meter_gap_w = 500.0
# missed_share = 0.1               # part of an interval's commitment
# ledger_behind_s = 120.0
# channel_lost_s = 300.0           # for how long e-mail or webhook may take nothing
# repeat_h = 4.0                   # what nobody acknowledged is told again; 0 for never
# tell_over = true                 # whether it is told what is over
# email_host = "mail.example.org"  # with email_from and email_to
# email_from = "gridpact@example.org"
# email_to = "operator@example.org, night@example.org"
# email_user = "gridpact"
# email_password_file = "email.password"     # readable by its owner only
# webhook_url = "https://example.org/alarms"
# webhook_secret_file = "webhook.secret"     # signs the messages

[day]
# zone = "Europe/London"           # the market's: its days, and the times below
# step_s = 1800                    # a market interval: 900, 1800 or 3600
# history_days = 28                # that forecasts learn from
# neighbours = 5
# score_days = 14                  # over which the two forecasts are compared
# import_price_per_mwh = 250.0     # for homes without a tariff
# imbalance_multiple = 1.5         # of the day-ahead price, where no price of deviations is known
# days_back = 2                    # how far back a price may stand in for a missing one
# end_soc = 0.5                    # else where the day began
# export_limit_w = 500000.0        # of the whole fleet; else none
# limit_price_per_mwh = 0.0        # least price of a bid
# lot_wh = 1
# award_share = 1.0                # part of a bid that the market takes
# flexibility_margin_per_mwh = 5.0
# soc_margin = 0.2                 # how far below the plan a home may go for a promise
# wire_price_share = 0.48          # price of another member's energy over the retail price
# time_limit_s = 20.0              # for a plan
# weather_at = "12:00"             # the day before
# prices_at = "13:30"
# forecast_at = "13:40"
# plan_at = "13:45"
# offer_at = "13:55"
# award_at = "14:30"
# publish_at = "14:40"
# watch_each_min = 5               # on the day
# imbalance_at = "00:45"           # the day after
# settle_at = "01:00"
# revenue_at = "01:15"
# reliability_at = "01:20"
# score_at = "01:25"
# retry_min = 10

[prices]                           # day-ahead prices (docs/feeds.md); without a source days are
# source = "octopus"               # run by hand alone
# product = "AGILE-24-10-01"
# tariff = "E-1R-AGILE-24-10-01-C"

[imbalance]                        # prices of deviations, likewise; else imbalance_multiple
# source = "file"
# file = "imbalance.csv"
# currency = "GBP"

[weather]
# source = "none"                  # or "open-meteo", "pvgis", "file"
# latitude_deg = 51.5              # else the mean of the homes'
# longitude_deg = -0.1

[ledger]
# url = ""                         # a chain's node; else a ledger embedded in the database
# deployment_file = "deployments/31337.json"
# keys = "keys"                    # keystores, the owner's among them
# passphrase_file = "passphrase"   # readable by its owner only
# fee_bp = 0                       # embedded, as the rest: our part of the revenue
# grace_s = 600
# bond = 1000.0                    # play money
# home_power_w = 23000

[retention]
# raw_days = 30
# minute_days = 90
# quarter_days = 1830              # days stay for ever
# history_days = 730               # commands, answers, resolved alarms, refusals, runs, papers
# audit_days = 3650                # who did what
"""
"""All tables with their defaults."""
