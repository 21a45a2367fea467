"""Money of days on which something is not as it should be."""

from dataclasses import replace

from sqlalchemy import update

from aggregator.service.day.ledger import accounts_of, member_address
from aggregator.service.day.result import Accepted, enter_result
from aggregator.service.store.tables import homes, revenues, settlements
from devices.feeds.settings import PriceSettings


def test_a_home_taken_out_of_use_during_the_day_is_owed_what_it_gave(
    world, played, hour, local_day, steps_of_a_day
):
    before, after = steps_of_a_day
    world.done(*before)
    world.live_the_day()
    world.set_time(hour(local_day, 12))
    world.run("watch")
    with world.desk.store.write() as connection:
        first = homes.c.number == world.numbers[0]
        connection.execute(update(homes).where(first).values(retired=True))
    world.set_time(hour(local_day, 26))

    world.done(*after)

    whole, _, _ = played
    assert world.rows(settlements) == whole.rows(settlements)
    assert world.rows(revenues) == whole.rows(revenues)


def test_a_loss_at_a_negative_price_is_the_aggregators_and_no_homes(
    world, hour, local_day, steps_of_a_day
):
    before, after = steps_of_a_day
    settings = replace(world.desk.settings, limit_price_per_mwh=-100.0)
    world.desk = replace(world.desk, settings=settings)
    world.done(*before[:4])
    sold = [
        Accepted(interval=bid["interval"], quantity_wh=bid["quantity_wh"], price_per_mwh=-30.0)
        for bid in world.paper("offer")["bids"]
    ]
    enter_result(world.desk, local_day, sold, who="test")
    world.done(*before[4:])
    world.live_the_day()
    world.set_time(hour(local_day, 26))

    world.done(*after)

    rows, (fleet, *owed) = world.rows(settlements), world.rows(revenues)
    assert {row["price_micro_per_mwh"] for row in rows} == {-30_000_000}
    assert all(row["revenue_micro"] == -row["loss_micro"] < 0 for row in rows)
    assert [row["revenue_micro"] for row in owed] == [0, 0, 0]
    assert (fleet["revenue_micro"], fleet["cost_micro"]) == (
        0,
        sum(row["loss_micro"] for row in rows),
    )


def test_a_day_is_not_settled_before_the_prices_of_its_deviations_are_published(
    played_again, tmp_path, write_prices
):
    world = played_again(tmp_path)
    before = world.everything()
    with world.desk.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM prices WHERE quantity = 'imbalance'")
    nothing_yet = write_prices(tmp_path / "none.csv", [])
    later = PriceSettings(source="file", file=nothing_yet, currency="GBP")
    desk, world.desk = world.desk, replace(world.desk, imbalance=later)

    (early,) = world.run("settle")
    world.desk = desk
    world.done("imbalance", "settle")

    assert early.state == "failed"
    assert early.line.startswith("no price of deviations of 2026-03-29 ")
    assert early.line.endswith(
        "run the step imbalance, or take [imbalance] out to settle at imbalance_multiple"
    )
    assert world.everything()["settlements"] == before["settlements"]
    world.desk.store.close()


def test_an_account_of_two_homes_is_the_first_ones():
    fleet = {2: ("b", "0xAb" + 38 * "0"), 1: ("a", "0xaB" + 38 * "0"), 3: ("c", None)}

    assert accounts_of(fleet, embedded=False) == {1: "0xaB" + 38 * "0"}
    assert accounts_of(fleet, embedded=True) == {
        1: "0xaB" + 38 * "0",
        3: member_address("c"),
    }
