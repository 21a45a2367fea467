"""Thousands of random days, on the contracts, on their twin, and in the chronicle of their events.

A day is a fresh fleet and fourteen acts of its people, right and wrong; then evening comes, all
is settled and everybody fetches what is due. GRIDPACT_DAYS sets how many days there are.
"""

from collections.abc import Iterable
from dataclasses import replace
from importlib.util import find_spec

from fleet_day import FleetDay
from fleet_twin import STEP_S
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test
from stage import (
    ACCEPT,
    ACTS,
    AMOUNTS,
    BOUNDARIES,
    CALLERS,
    DAYS,
    FIRST,
    HEIR,
    HOMES,
    KEYS,
    OWNER,
    PRICES,
    SELDOM,
    SLOT,
    SLOTS,
    STRANGER,
    TRANSFER,
    WHO,
    WILD_PRICES,
    person,
    refused,
    same,
    told,
)

from contracts.chain import Call
from contracts.errors import LedgerError
from contracts.promise import Clearing


class Days(FleetDay):
    """One day of the contracts and of their twin."""

    @initialize(
        bond=AMOUNTS,
        funds=AMOUNTS,
        promised=st.lists(
            st.tuples(st.integers(0, 10_000), st.integers(1, 4000)), min_size=SLOTS, max_size=SLOTS
        ),
    )
    def morning(self, bond: int, funds: int, promised: list[tuple[int, int]]) -> None:
        for place in range(3):
            self.enrol(None, place, has_battery=place != 2, metered=place == 1, weak=False)
        self.publish(None, 1, promised)
        self.move_money(None, bond, bond=True, inwards=True)
        self.move_money(None, 10 * funds, bond=False, inwards=True)

    def money_of(self, caller: str | None):
        """Return the settlement as ``caller`` drives it, and who that is."""
        caller = caller or self.money.owner
        return replace(self.ledger.settlement, owner=caller), caller

    # MONEY

    @rule(caller=CALLERS, amount=AMOUNTS, bond=st.booleans(), inwards=st.booleans())
    def move_money(self, caller: str | None, amount: int, bond: bool, inwards: bool) -> None:
        client, caller = self.money_of(caller)
        name, money = "bond" if bond else "funds", self.money
        if not inwards:
            send = client.withdraw_bond if bond else client.withdraw_funds
            same(told(lambda: send(amount)), money.withdraw(caller, amount, name))
        elif caller != STRANGER:  # who has no tokens, which is the token's business
            send = client.deposit_bond if bond else client.fund
            twin = money.deposit_bond if bond else money.fund
            same(told(lambda: send(amount)), twin(caller, amount))

    @rule(
        caller=CALLERS,
        ahead=st.sampled_from([0, 0, 0, 1, 3]),
        boundary_wh=BOUNDARIES,
        prices=st.tuples(PRICES, PRICES) | st.tuples(PRICES, PRICES | WILD_PRICES),
        later=SELDOM,
    )
    def post(
        self,
        caller: str | None,
        ahead: int,
        boundary_wh: int | None,
        prices: tuple[int, int],
        later: bool,
    ) -> None:
        """Post a reading at the boundary, where there is one, and prices; and settle, or later."""
        final = [at for at in self.unposted() if self.fleet.is_final(at, self.now_s)]
        unposted = final or self.unposted() or [FIRST]
        interval = unposted[min(ahead, len(unposted) - 1)]
        self.post_at(interval, caller, boundary_wh, prices)
        if not later:
            self.settle_at(interval)

    def unposted(self) -> list[int]:
        return [at for at in range(FIRST, FIRST + SLOTS) if at not in self.money.posted]

    def post_at(
        self, interval: int, caller: str | None, boundary_wh: int | None, prices: tuple[int, int]
    ) -> None:
        client, caller = self.money_of(caller)
        if boundary_wh is not None:
            if -5 <= boundary_wh <= 5:  # close to the reports: it need not be scaled
                boundary_wh += self.fleet.delivery(interval).delivered_wh
            outcome = told(lambda: client.post_boundary(interval, boundary_wh))
            same(outcome, self.money.post_boundary(caller, interval, boundary_wh, self.now_s))
        clearing = Clearing(
            interval=interval,
            price_micro_per_mwh=prices[0],
            imbalance_price_micro_per_mwh=prices[1],
        )
        same(told(lambda: client.post([clearing])), self.money.post(caller, clearing, self.now_s))

    @rule(slot=SLOT, in_turn=st.booleans())
    def settle(self, slot: int, in_turn: bool) -> None:
        still_open = [each for each in self.money.posted if each not in self.money.settled]
        self.settle_at(still_open[0] if in_turn and still_open else FIRST + slot)

    @rule(caller=CALLERS, slot=SLOT, last=st.booleans())
    def retract(self, caller: str | None, slot: int, last: bool) -> None:
        """Take back what was posted, mostly last."""
        client, caller = self.money_of(caller)
        interval = self.money.last if last and self.money.last else FIRST + slot
        same(told(lambda: client.retract(interval)), self.money.retract(caller, interval))

    def settle_at(self, interval: int) -> None:
        outcome = told(lambda: self.ledger.settlement.settle([interval]))
        same(outcome, self.money.settle(interval))

    @rule(caller=CALLERS, who=WHO, slot=SLOT, count=st.integers(0, SLOTS))
    def claim(self, caller: str | None, who: int, slot: int, count: int) -> None:
        """Have a member, the market and the owner fetch what is due."""
        client, caller = self.money_of(caller)
        account, first = person(who), FIRST + slot
        owed = sum(client.credit_micro(account, first + place) for place in range(count))
        assert client.claim(account, first, count) == owed
        assert self.money.claim(account, first, count) == owed
        assert client.claim_losses() == self.money.claim_losses()
        expected = self.money.claim_fee(caller)
        if isinstance(expected, LedgerError):
            same(told(client.claim_fee), expected)
        else:
            assert client.claim_fee() == expected

    # OWNERSHIP

    @rule(
        caller=CALLERS,
        heir=st.sampled_from([OWNER, HEIR]),
        taker=st.sampled_from([None, OWNER, HEIR, STRANGER]),
        of_money=st.booleans(),
    )
    def hand_over(self, caller: str | None, heir: str, taker: str | None, of_money: bool) -> None:
        """Offer a contract to somebody; perhaps somebody takes it."""
        twin = self.money if of_money else self.fleet
        caller = caller or twin.owner
        outcome = self.send(caller, TRANSFER.encode(heir), of_money=of_money)
        same(outcome, twin.transfer(caller, heir))
        if taker:
            same(self.send(taker, ACCEPT.encode(), of_money=of_money), twin.accept(taker))

    def send(self, caller: str, data: bytes, *, of_money: bool) -> LedgerError | None:
        to = self.ledger.settlement.address if of_money else self.ledger.fleet.address
        return refused(self.chain.send_all([Call(sender=caller, to=to, data=data)])[0])

    # WHAT ALWAYS HOLDS

    @invariant()
    def books_are_the_twin_s(self) -> None:
        assert self.ledger.settlement.books() == self.money.books()

    @invariant()
    def running_interval_is_the_twin_s(self) -> None:
        fleet, interval = self.ledger.fleet, self.now_s // STEP_S
        assert fleet.delivery(interval) == self.fleet.delivery(interval)
        members = list(self.fleet.homes)
        assert fleet.coordinate(members, interval) == [
            self.fleet.coordination(home, interval) for home in members
        ]

    @invariant()
    def final_stays_final(self) -> None:
        running = self.now_s // STEP_S
        self.check_final(range(running - 2, running))

    def check_final(self, intervals: Iterable[int]) -> None:
        found = {at for at in intervals if self.ledger.fleet.is_final(at)}
        assert found == {at for at in intervals if self.fleet.is_final(at, self.now_s)}
        assert found >= self.final & set(intervals)
        self.final |= found

    # EVENING

    def teardown(self) -> None:
        self.all_is_settled()
        self.reports_are_as_the_events_tell()
        self.each_revenue_is_shared_to_the_unit()
        self.nothing_is_paid_twice()

    def all_is_settled(self) -> None:
        self.check_final(range(FIRST, FIRST + SLOTS))
        if self.fleet.paused:
            self.pause(None, 0, wrongly=False, leave=False)
        self.wait((SLOTS + 2) * STEP_S)
        self.move_money(None, 10**9, bond=False, inwards=True)
        for interval in self.unposted():
            self.post_at(interval, None, None, (80_000_000, 10_000_000))
        for interval in list(self.money.posted):
            self.settle_at(interval)
        assert self.money.books().open_intervals == 0
        # Where a loss was carried, the deposit pays it first.
        self.move_money(None, 10**5, bond=True, inwards=True)
        self.books_are_the_twin_s()

    def reports_are_as_the_events_tell(self) -> None:
        fleet, chronicle = self.ledger.fleet, self.chain.chronicle
        intervals = range(FIRST - 1, FIRST + SLOTS + 2)
        assert fleet.exports_wh(HOMES, intervals) == [
            [chronicle.exports[home, interval] for interval in intervals] for home in HOMES
        ]
        for interval in intervals:
            done = fleet.delivery(interval)
            assert done == self.fleet.delivery(interval)
            assert (done.delivered_wh, done.exported_wh) == chronicle.sums(interval)
            assert done.commitment_wh == chronicle.commitments.get(interval, 0)
        members = list(self.fleet.homes)
        answers = fleet.coordinate(members, FIRST)
        assert [(each.export_weight_ppb, each.import_weight_ppb) for each in answers] == [
            chronicle.shares_ppb(home) for home in members
        ]
        assert fleet.nonces(HOMES) == [self.fleet.nonces.get(home, 0) for home in HOMES]

    def each_revenue_is_shared_to_the_unit(self) -> None:
        for interval, expected in self.money.settled.items():
            found = self.ledger.settlement.settlement(interval)
            assert found == expected
            shares = [self.money.share(home, interval) for home in KEYS]
            dust = found.pool_micro - sum(shares)
            kept = found.repaid_micro + found.fee_micro + dust - found.loss_micro
            assert sum(shares) + kept == found.revenue_micro
            exporters = sum(self.fleet.export_wh(home, interval) > 0 for home in KEYS)
            assert 0 <= dust < max(1, exporters)

    def nothing_is_paid_twice(self) -> None:
        money, token = self.money, self.ledger.token
        for who in (0, 1, 2, 3, 4, 0, 1, 2, 3, 4):
            self.claim(None, who, 0, SLOTS)
        self.books_are_the_twin_s()
        assert {each: token.balance_micro(each) for each in money.purses} == money.purses
        shares = {home: sum(money.share(home, at) for at in money.settled) for home in HOMES}
        assert {home: token.balance_micro(home) for home in HOMES} == shares
        pools = sum(each.pool_micro for each in money.settled.values())
        assert self.ledger.settlement.books().credits_micro == pools - sum(shares.values()) - sum(
            money.share(STRANGER, at) for at in money.settled
        )


def test_random_days_are_what_their_twin_and_their_events_say(left_out):
    if find_spec("pyrevm") is None:
        left_out("random days need pyrevm, which has no wheel here; elsewhere each takes seconds")
    run_state_machine_as_test(
        Days,
        settings=settings(
            max_examples=DAYS,
            stateful_step_count=ACTS,
            suppress_health_check=list(HealthCheck),
        ),
    )
