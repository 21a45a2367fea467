"""Killed in the middle of the load: whatever a gateway has a receipt for is in the store.

A gateway here keeps each message until the service says that its rows are committed, and sends it
again after a cut. So nothing at all may be missing in the end, nor be there twice.
"""

from paho.mqtt.publish import single

# it goes on for longer than it takes to see the first rows and to kill
LOAD = {"gateways": 20, "messages_per_s": 66.0, "seconds": 3.0}
SENT = 198
ROWS = 10  # of a message
INGEST = ("--only", "ingest")  # the other parts take a second to load


def one_more(broker):
    """Send what is to be written also where the load is over already."""
    single("gridpact/home-0/status", b"online", qos=1, hostname="127.0.0.1", port=broker.port)


def test_a_killed_service_loses_nothing_and_takes_what_the_broker_kept(
    service, fleet, rows_in, sqlite_url, waits_until
):
    process = service(sqlite_url, *INGEST)
    gateways = fleet(**LOAD)
    gateways.begin()
    waits_until(lambda: rows_in(sqlite_url) > 0, "nothing came")
    process.kill()
    service(sqlite_url, *INGEST)

    seen = gateways.ended()
    assert (seen["sent"], seen["done"]) == (SENT, SENT)
    assert rows_in(sqlite_url) == SENT * ROWS


def test_a_killed_broker_loses_nothing_that_has_a_receipt(
    service, fleet, rows_in, sqlite_url, waits_until, mosquitto
):
    process = service(sqlite_url, *INGEST)
    gateways = fleet(**LOAD)
    gateways.begin()
    waits_until(lambda: rows_in(sqlite_url) > 0, "nothing came")
    mosquitto.kill()
    waits_until(lambda: "broker lost" in process.said(), process.said)
    mosquitto.start()

    seen = gateways.ended()
    assert (seen["sent"], seen["done"]) == (SENT, SENT)
    assert rows_in(sqlite_url) == SENT * ROWS
    assert seen["connects"] == 2 * 20
    assert process.said().count("broker lost") == process.said().count("broker back") == 1


def test_a_killed_database_loses_nothing_and_is_told_of_once(
    service, fleet, rows_in, postgres_url, waits_until, needs_postgres, mosquitto
):
    process = service(postgres_url, *INGEST)
    gateways = fleet(**LOAD)
    gateways.begin()
    waits_until(lambda: rows_in(postgres_url) > 0, "nothing came")
    needs_postgres.kill()
    one_more(mosquitto)
    waits_until(lambda: "store lost" in process.said(), process.said)
    needs_postgres.start()

    seen = gateways.ended()
    assert (seen["sent"], seen["done"]) == (SENT, SENT)
    assert rows_in(postgres_url) == SENT * ROWS
    waits_until(lambda: "store back" in process.said(), process.said)
