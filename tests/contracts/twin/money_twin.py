"""The settlement contract's rules in plain Python, on the twin of the fleet."""

from dataclasses import dataclass, field

from fleet_twin import FleetTwin, Owned

from contracts.errors import (
    LedgerError,
    SettlementAlreadyPosted,
    SettlementAlreadySettled,
    SettlementBoundaryPosted,
    SettlementInsufficient,
    SettlementNotFinal,
    SettlementNothingPromised,
    SettlementNotLast,
    SettlementNotPosted,
    SettlementOpenIntervals,
    SettlementOutOfOrder,
    SettlementPriceRange,
    SettlementUnfunded,
)
from contracts.ledger import Books
from contracts.promise import Clearing, Settlement

FEE_BP, BOUNDARY_TOLERANCE_BP = 1000, 100
PRICE_MAX = 10**15


@dataclass(kw_only=True)
class MoneyTwin(Owned):
    """See `ISettlement`; ``purses`` hold everybody's tokens but the contract's."""

    fleet: FleetTwin
    market: str
    purses: dict[str, int]
    bond: int = 0
    funds: int = 0
    fees: int = 0
    losses: int = 0
    carried: int = 0
    last: int | None = None
    posted: dict[int, tuple[Clearing, int | None]] = field(default_factory=dict)
    boundaries: dict[int, int] = field(default_factory=dict)
    settled: dict[int, Settlement] = field(default_factory=dict)
    paid: dict[tuple[str, int], int] = field(default_factory=dict)

    def deposit_bond(self, caller: str, amount: int) -> LedgerError | None:
        wrong = self.foreign(caller)
        if not wrong:
            self.purses[caller] -= amount
            owed = min(amount, self.carried)
            self.carried -= owed
            self.losses += owed
            self.bond += amount - owed
        return wrong

    def fund(self, caller: str, amount: int) -> LedgerError | None:
        wrong = self.foreign(caller)
        if not wrong:
            self.purses[caller] -= amount
            self.funds += amount
        return wrong

    def withdraw(self, caller: str, amount: int, name: str) -> LedgerError | None:
        wrong = self.foreign(caller)
        still_open = len(self.posted) - len(self.settled)
        if not wrong and still_open:
            wrong = SettlementOpenIntervals(still_open)
        if not wrong and amount > getattr(self, name):
            wrong = SettlementInsufficient(amount, getattr(self, name))
        if not wrong:
            setattr(self, name, getattr(self, name) - amount)
            self.purses[caller] += amount
        return wrong

    def _unpostable(self, interval: int, now_s: int) -> LedgerError | None:
        if interval in self.posted:
            return SettlementAlreadyPosted(interval)
        if not self.fleet.promise(interval)[1]:
            return SettlementNothingPromised(interval)
        return None if self.fleet.is_final(interval, now_s) else SettlementNotFinal(interval)

    def post_boundary(
        self, caller: str, interval: int, boundary_wh: int, now_s: int
    ) -> LedgerError | None:
        wrong = self.foreign(caller)
        if not wrong and interval in self.boundaries:
            wrong = SettlementBoundaryPosted(interval)
        wrong = wrong or self._unpostable(interval, now_s)
        if not wrong:
            self.boundaries[interval] = boundary_wh
        return wrong

    def post(self, caller: str, clearing: Clearing, now_s: int) -> LedgerError | None:
        prices = (clearing.price_micro_per_mwh, clearing.imbalance_price_micro_per_mwh)
        wild = next((price for price in prices if abs(price) > PRICE_MAX), None)
        wrong = self.foreign(caller)
        if not wrong and wild is not None:
            wrong = SettlementPriceRange(wild)
        wrong = wrong or self._unpostable(clearing.interval, now_s)
        if not wrong:
            self.posted[clearing.interval] = (clearing, self.last)
            self.last = clearing.interval
        return wrong

    def retract(self, caller: str, interval: int) -> LedgerError | None:
        wrong = self.foreign(caller)
        if not wrong and interval not in self.posted:
            wrong = SettlementNotPosted(interval)
        if not wrong and interval in self.settled:
            wrong = SettlementAlreadySettled(interval)
        if not wrong and interval != self.last:
            wrong = SettlementNotLast(interval, self.last)
        if not wrong:
            _, self.last = self.posted.pop(interval)
            self.boundaries.pop(interval, None)
        return wrong

    def settle(self, interval: int) -> LedgerError | None:
        if interval not in self.posted:
            return SettlementNotPosted(interval)
        if interval in self.settled:
            return SettlementAlreadySettled(interval)
        clearing, previous = self.posted[interval]
        if previous is not None and previous not in self.settled:
            return SettlementOutOfOrder(interval, previous)
        found = self._settlement(clearing)
        if found.revenue_micro > self.funds:
            return SettlementUnfunded(interval, found.revenue_micro, self.funds)
        from_bond = min(found.loss_micro, self.bond)
        self.bond -= from_bond
        self.carried += found.loss_micro - from_bond - found.repaid_micro
        self.losses += from_bond + found.repaid_micro
        self.funds -= max(0, found.revenue_micro)
        self.fees += found.fee_micro
        self.settled[interval] = found
        return None

    def _settlement(self, clearing: Clearing) -> Settlement:
        done = self.fleet.delivery(clearing.interval)
        delivered_wh, scaled = done.delivered_wh, False
        boundary_wh = self.boundaries.get(clearing.interval)
        if boundary_wh is not None:
            allowed = abs(boundary_wh) * BOUNDARY_TOLERANCE_BP
            scaled = abs(delivered_wh - boundary_wh) * 10_000 > allowed
            delivered_wh = boundary_wh if scaled else delivered_wh
        revenue = (
            done.commitment_wh * clearing.price_micro_per_mwh
            - abs(delivered_wh - done.commitment_wh) * clearing.imbalance_price_micro_per_mwh
        ) // 10**6
        repaid = max(0, min(revenue, self.carried))
        shared = max(0, revenue) - repaid
        fee = shared * FEE_BP // 10_000 if done.exported_wh else shared
        return Settlement(
            interval=clearing.interval,
            revenue_micro=revenue,
            fee_micro=fee,
            pool_micro=shared - fee,
            repaid_micro=repaid,
            loss_micro=max(0, -revenue),
            boundary_wh=boundary_wh,
            scaled=scaled,
        )

    def share(self, account: str, interval: int) -> int:
        """Return a home's part of an interval's pool, claimed or not."""
        settled, own_wh = self.settled.get(interval), self.fleet.export_wh(account, interval)
        if settled is None or own_wh <= 0:
            return 0
        return settled.pool_micro * own_wh // self.fleet.delivery(interval).exported_wh

    def credit(self, account: str, interval: int) -> int:
        return 0 if (account, interval) in self.paid else self.share(account, interval)

    def claim(self, account: str, first: int, count: int) -> int:
        owed = {at: self.credit(account, at) for at in range(first, first + count)}
        self.paid |= {(account, at): credit for at, credit in owed.items() if credit}
        self.purses[account] += sum(owed.values())
        return sum(owed.values())

    def claim_losses(self) -> int:
        paid, self.losses = self.losses, 0
        self.purses[self.market] += paid
        return paid

    def claim_fee(self, caller: str) -> LedgerError | int:
        wrong = self.foreign(caller)
        if wrong:
            return wrong
        paid, self.fees = self.fees, 0
        self.purses[caller] += paid
        return paid

    def books(self) -> Books:
        pools = sum(settled.pool_micro for settled in self.settled.values())
        owed = pools - sum(self.paid.values())
        return Books(
            balance_micro=self.bond + self.funds + self.fees + owed + self.losses,
            bond_micro=self.bond,
            funds_micro=self.funds,
            fees_micro=self.fees,
            credits_micro=owed,
            losses_micro=self.losses,
            carried_loss_micro=self.carried,
            open_intervals=len(self.posted) - len(self.settled),
        )
