"""One look at the store finds what is wrong, home by home and in the fleet."""

from datetime import date

import pytest
from sqlalchemy import delete, insert, select, text, update

from aggregator.service.alarms.book import AlarmBook
from aggregator.service.alarms.gauges import MissedGauge, Reading, missed
from aggregator.service.alarms.listening import Listening
from aggregator.service.alarms.patrol import Patrol
from aggregator.service.alarms.rules import rules_of
from aggregator.service.errors import StoreUnavailableError
from aggregator.service.registry.errors import RegistryAbsentError
from aggregator.service.rest.day import FleetDay, SettledDay
from aggregator.service.store.tables import audit, homes, rollups_due, settlements

WARMTH = 99
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
CALM = {"soc": 0.5, "load_w": 500.0, "pv_w": 200.0, "battery_power_w": 100.0, "grid_power_w": 400.0}


@pytest.fixture
def patrol(fleet, settings):
    return Patrol(fleet.store, rules_of(settings), {}, warmth=WARMTH)


def test_each_trouble_of_a_home_is_found_once_with_its_figures(fleet, patrol):
    fleet.homes(6)
    fleet.battery(3, soc_min=0.2, soc_max=0.9)
    fleet.told(1, 2, 3, 4, temperature_c=25.0, **CALM)
    assert patrol.look(fleet.now_ms) == 0
    fleet.now_ms += 10 * MINUTE_MS
    fleet.told(1, temperature_c=61.25, **CALM)
    fleet.told(3, **CALM | {"soc": 0.15})
    fleet.told(4, **CALM | {"grid_power_w": -700.0})
    fleet.told(5, soc=None, load_w=None)

    assert patrol.look(fleet.now_ms) == 4
    assert patrol.look(fleet.now_ms) == 0
    assert sorted(fleet.alarms("kind", "home_number", "severity", "line")) == [
        ("meter", 4, "warning", "the meter's powers miss 1100 W, more than 500 W"),
        ("silent", 2, "warning", "nothing came from the gateway for 600 s, more than 300 s"),
        ("soc", 3, "warning", "the state of charge is 5.0% outside of its window"),
        ("temperature", 1, "critical", "the battery has 61.2 °C, more than 50 °C"),
    ]


def test_what_is_over_is_resolved_by_the_service_and_may_begin_anew(fleet, patrol):
    fleet.homes(2)
    fleet.told(1, 2, temperature_c=60.0, **CALM)
    patrol.look(fleet.now_ms)
    fleet.now_ms += MINUTE_MS
    fleet.told(1, temperature_c=46.0, **CALM)  # below the threshold, above where it is over
    fleet.told(2, temperature_c=45.0, **CALM)
    patrol.look(fleet.now_ms)
    over_ms = fleet.now_ms
    fleet.now_ms += MINUTE_MS
    fleet.told(2, temperature_c=60.0, **CALM)
    patrol.look(fleet.now_ms)

    assert fleet.alarms("home_number", "state", "resolved_ms", "resolved_by") == [
        (1, "raised", None, None),
        (2, "resolved", over_ms, "service"),
        (2, "raised", None, None),
    ]


def test_another_start_goes_on_from_the_store(fleet, settings):
    fleet.homes(3)
    fleet.told(1, 2, 3, temperature_c=60.0, **CALM)
    Patrol(fleet.store, rules_of(settings), {}, warmth=WARMTH).look(fleet.now_ms)
    with fleet.store.write() as connection:
        connection.execute(update(homes).where(homes.c.number == 3).values(retired=True))
    fleet.now_ms += MINUTE_MS
    fleet.told(1, temperature_c=30.0, **CALM)
    fleet.told(2, temperature_c=60.0, **CALM)

    assert Patrol(fleet.store, rules_of(settings), {}, warmth=WARMTH).look(fleet.now_ms) == 0
    assert fleet.alarms() == [
        ("temperature", 1, "resolved"),
        ("temperature", 2, "raised"),
        ("temperature", 3, "resolved"),
    ]


def test_people_acknowledge_and_resolve_and_the_audit_log_says_who(fleet, patrol):
    fleet.homes(2)
    fleet.told(1, 2, temperature_c=60.0, **CALM)
    patrol.look(fleet.now_ms)
    book = AlarmBook(fleet.store)
    book.acknowledge(1, who="token-1", at_ms=5)
    book.acknowledge(1, who="token-2", at_ms=6)
    book.resolve(2, who="token-3", at_ms=7)
    book.resolve(2, who="token-4", at_ms=8)
    book.acknowledge(2, who="token-4", at_ms=9)
    with pytest.raises(RegistryAbsentError, match="alarm 9 is unknown"):
        book.resolve(9, who="token-4", at_ms=8)
    # the cause goes on: it is not raised against their word
    assert patrol.look(fleet.now_ms) == 0

    assert fleet.alarms(
        "state", "acknowledged_ms", "acknowledged_by", "resolved_ms", "resolved_by"
    ) == [("acknowledged", 5, "token-1", None, None), ("resolved", None, None, 7, "token-3")]
    with fleet.store.read() as connection:
        deeds = connection.execute(select(audit.c.who, audit.c.action, audit.c.target)).all()
    assert [tuple(each) for each in deeds] == [
        ("token-1", "acknowledge", "alarm 1"),
        ("token-3", "resolve", "alarm 2"),
    ]


def test_what_a_person_resolved_stays_so_over_another_start_until_it_was_over(fleet, settings):
    def started():
        return Patrol(fleet.store, rules_of(settings), {}, warmth=WARMTH)

    fleet.homes(2)
    fleet.told(1, 2, temperature_c=60.0, **CALM)
    patrol, book = started(), AlarmBook(fleet.store)
    patrol.look(fleet.now_ms)
    book.acknowledge(1, who="token-1", at_ms=fleet.now_ms)
    book.resolve(2, who="token-1", at_ms=fleet.now_ms)
    fleet.now_ms += MINUTE_MS
    fleet.told(1, 2, temperature_c=60.0, **CALM)
    assert [patrol.look(fleet.now_ms), started().look(fleet.now_ms)] == [0, 0]
    fleet.now_ms += MINUTE_MS
    fleet.told(1, 2, temperature_c=40.0, **CALM)
    later = started()
    assert later.look(fleet.now_ms) == 0
    fleet.now_ms += MINUTE_MS
    fleet.told(1, 2, temperature_c=60.0, **CALM)
    assert started().look(fleet.now_ms) == 2

    assert fleet.alarms("kind", "home_number", "state", "resolved_by") == [
        ("temperature", 1, "resolved", "service"),
        ("temperature", 2, "resolved", "token-1"),
        ("temperature", 1, "raised", None),
        ("temperature", 2, "raised", None),
    ]
    with fleet.store.read() as connection:
        of_service = select(audit.c.action, audit.c.target).where(audit.c.who == "service")
        assert [tuple(each) for each in connection.execute(of_service)] == [("over", "alarm 2")]


def test_a_database_that_fails_in_the_middle_of_a_look_loses_and_repeats_no_alarm(
    quick_fleet, settings
):
    fleet, patrol = quick_fleet, Patrol(quick_fleet.store, rules_of(settings), {}, warmth=WARMTH)
    fleet.homes(2)
    fleet.told(1, 2, temperature_c=60.0, **CALM)
    patrol.look(fleet.now_ms)
    AlarmBook(fleet.store).resolve(2, who="token-1", at_ms=fleet.now_ms)
    fleet.now_ms += MINUTE_MS
    fleet.told(1, 2, temperature_c=60.0, **CALM | {"soc": 1.5})
    for there, away in (("alarms", "alarms_away"), ("alarms_away", "alarms")):
        with fleet.store.write() as connection:
            connection.execute(text(f"ALTER TABLE {there} RENAME TO {away}"))
        if away != "alarms":
            with pytest.raises(StoreUnavailableError):
                patrol.look(fleet.now_ms)

    assert [patrol.look(fleet.now_ms), patrol.look(fleet.now_ms)] == [2, 0]
    assert fleet.alarms("kind", "home_number")[2:] == [("soc", 1), ("soc", 2)]


def test_what_a_gateway_kept_for_hours_neither_raises_nor_ends_anything(fleet, patrol):
    fleet.homes(2)
    fleet.told(1, temperature_c=60.0, **CALM)
    patrol.look(fleet.now_ms)
    fleet.now_ms += MINUTE_MS
    fleet.told(1, age_ms=3 * HOUR_MS, temperature_c=20.0, **CALM)
    fleet.told(2, age_ms=3 * HOUR_MS, temperature_c=60.0, **CALM | {"soc": 1.5, "pv_w": 9e3})
    patrol.look(fleet.now_ms)
    assert fleet.alarms() == [("temperature", 1, "raised")]

    fleet.now_ms += MINUTE_MS
    fleet.told(1, 2, age_ms=MINUTE_MS, temperature_c=20.0, **CALM)
    patrol.look(fleet.now_ms)
    assert fleet.alarms() == [("temperature", 1, "resolved")]


@pytest.fixture
def listened(quick_fleet, settings):
    """Return looks at given minutes of our clock and of one that runs on, with who is silent."""
    quick_fleet.homes(2)
    quick_fleet.told(1, 2, **CALM)
    begin_ms, heard = quick_fleet.now_ms, [True]
    listening = Listening(each_s=60.0, hears=lambda: heard[0])
    patrol = Patrol(quick_fleet.store, rules_of(settings), {}, listening=listening)

    def look(minute, *, clock_minute=None, hears=True, tells=()):
        quick_fleet.now_ms = (
            begin_ms + (minute if clock_minute is None else clock_minute) * MINUTE_MS
        )
        heard[0] = hears
        if tells:
            quick_fleet.told(*tells, **CALM)
        patrol.look(quick_fleet.now_ms, minute * 60.0)
        standing = quick_fleet.alarms("kind", "home_number", "state")
        return [home for kind, home, state in standing if (kind, state) == ("silent", "raised")]

    return look


def test_nobody_is_silent_for_what_a_service_that_was_away_did_not_hear(listened):
    looks = [listened(minute) for minute in (60, 61)]
    looks += [listened(minute, tells=(1,)) for minute in (62, 63, 64, 65, 66)]

    assert looks == [[], [], [], [], [], [], [2]]


def test_a_broker_that_is_away_makes_no_gateway_silent_and_none_speak(listened):
    looks = [listened(minute, tells=(1,)) for minute in range(7)]
    assert looks == [[], [], [], [], [], [], [2]]
    looks = [listened(minute, hears=False) for minute in (7, 8, 60)]
    looks += [listened(minute) for minute in (61, 62, 63, 64, 65, 66)]

    assert looks == [*[[2]] * 8, [2, 1]]


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_set_makes_nobody_silent_and_hides_nobody_for_long(listened, hours):
    assert listened(1, tells=(1, 2)) == []
    shift = hours * 60
    looks = [listened(n, clock_minute=n + shift, tells=(1,)) for n in (2, 3, 4, 5, 6, 7)]

    assert looks == [[], [], [], [], [], []]
    assert listened(8, clock_minute=8 + shift, tells=(1,)) == [2]


def test_the_fleets_own_troubles_have_no_home(quick_fleet, settings):
    values = {"broker": Reading(61.0), "ledger": Reading(300.0, " (why)"), "missed": None}
    gauges = {kind: lambda _, kind=kind: values[kind] for kind in values}
    patrol = Patrol(quick_fleet.store, rules_of(settings), gauges)
    assert patrol.look(quick_fleet.now_ms) == 2
    values |= {"broker": Reading(0.0), "ledger": None}
    assert patrol.look(quick_fleet.now_ms) == 0

    assert quick_fleet.alarms("kind", "home_number", "state", "line") == [
        ("ledger", None, "raised", "the ledger is 300 s behind, more than 120 s (why)"),
        ("broker", None, "resolved", "the broker is away for 61 s, more than 60 s"),
    ]


def due(fleet, *minutes_ago):
    """Have minutes of home 1 wait to be rolled up, and no others."""
    rows = [
        {"size_ms": MINUTE_MS, "start_ms": fleet.now_ms - n * MINUTE_MS, "home_number": 1}
        for n in minutes_ago
    ]
    with fleet.store.write() as connection:
        connection.execute(delete(rollups_due))
        connection.execute(insert(rollups_due).values(taken=False), rows)


def test_rollups_are_behind_when_the_same_minute_waits_and_not_when_old_ones_come_late(
    fleet, patrol
):
    for _ in range(8):  # what a gateway kept for a day, rolled up minute by minute as it comes
        due(fleet, 1440, 1438)
        assert patrol.look(fleet.now_ms) == 0
        fleet.now_ms += MINUTE_MS
    looks = []
    for n in range(7):
        due(fleet, 1440 + n, *range(1, n + 2))
        looks.append(patrol.look(fleet.now_ms))
        fleet.now_ms += MINUTE_MS
    due(fleet, 1)
    patrol.look(fleet.now_ms)

    assert looks == [0, 0, 0, 0, 0, 0, 1]
    assert fleet.alarms("kind", "state", "line") == [
        ("store", "resolved", "roll-ups are 360 s behind, more than 300 s")
    ]


START_MS = 1_780_272_000_000  # 2026-06-01T00:00Z
HALF_HOUR_MS = 1_800_000


def market_day(committed, delivered):
    lists = dict.fromkeys(
        ("price_per_mwh", "imbalance_price_per_mwh", "planned_export_wh", "soc", "soc_planned",
         "revenue_micro"),
        [None] * len(committed),
    )  # fmt: skip
    return FleetDay(
        day=date(2026, 6, 1),
        zone="UTC",
        start_ms=[START_MS + n * HALF_HOUR_MS for n in range(len(committed))],
        committed_wh=committed,
        delivered_wh=delivered,
        **lists,
    )


@pytest.mark.parametrize(
    ("committed", "delivered", "share"),
    [
        ([1000, 1000, 1000], [1000, 750, 0], 0.25),  # the third one is not over
        ([1000, 1000, 1000], [800, None, None], 0.2),
        ([1000, 1000, 1000], [800, 1200, None], 0.0),
        ([1000, -500, 1000], [800, 0, None], 0.0),
        ([1000, 0, 1000], [800, -100, None], 0.0),
        ([None, None, None], [None, None, None], None),
        ([1000], [0], None),
    ],
)
def test_a_missed_commitment_is_that_of_the_latest_interval_that_is_over(
    committed, delivered, share
):
    now_ms = START_MS + 2 * HALF_HOUR_MS + 600_000
    found = missed(market_day(committed, delivered), now_ms, after_s=600.0)

    assert (None if found is None else found.value) == share


def test_a_settled_interval_of_yesterday_evening_is_seen_after_midnight(quick_fleet):
    with quick_fleet.store.write() as connection:
        for number in (1, 2):
            row = dict.fromkeys((column.name for column in settlements.columns), 0)
            of = {
                "interval_number": number,
                "start_ms": START_MS - number * HALF_HOUR_MS,
                "commitment_wh": 1000,
                "delivered_wh": 400 * number,
                "transaction": None,
            }
            connection.execute(insert(settlements).values(row | of))
    gauge = MissedGauge(view=SettledDay(quick_fleet.store, "UTC"), zone="UTC", after_s=600.0)

    assert gauge(START_MS + 900_000) == Reading(
        0.6, ": 400 Wh of 1000 Wh from 2026-05-31 23:30 UTC on"
    )
    assert gauge(START_MS + 10 * HALF_HOUR_MS) is None
