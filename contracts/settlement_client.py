"""The settlement contract and its token in our own values, over any chain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from contracts.abi import Function, event_topic
from contracts.chain import Call, Chain, Receipt
from contracts.fleet_client import all_or_raise
from contracts.ledger import Books
from contracts.promise import Clearing, Settlement

DEPOSIT_BOND = Function("depositBond(uint256)")
WITHDRAW_BOND = Function("withdrawBond(uint256)")
FUND = Function("fund(uint256)")
WITHDRAW_FUNDS = Function("withdrawFunds(uint256)")
POST_BOUNDARY = Function("postBoundary(uint32,int40)")
POST = Function("post(uint32,int64,int64)")
RETRACT = Function("retract(uint32)")
SETTLE = Function("settle(uint32)")
SETTLEMENT_OF = Function(
    "settlementOf(uint32)",
    ("(bool,bool,int64,int64,int256,uint256,uint256,uint256,uint256,uint40,bool,int40,bool)",),
)
CREDIT_OF = Function("creditOf(address,uint32)", ("uint256",))
CLAIM = Function("claim(uint32,uint32)", ("uint256",))
CLAIM_LOSSES = Function("claimLosses()", ("uint256",))
CLAIM_FEE = Function("claimFee()", ("uint256",))
BOND_MICRO = Function("bondMicro()", ("uint80",))
FUNDS_MICRO = Function("fundsMicro()", ("uint80",))
FEES_MICRO = Function("feesMicro()", ("uint80",))
CREDITS_MICRO = Function("creditsMicro()", ("uint80",))
LOSSES_MICRO = Function("lossesMicro()", ("uint80",))
CARRIED_LOSS_MICRO = Function("carriedLossMicro()", ("uint80",))
OPEN_INTERVALS = Function("openIntervals()", ("uint32",))

APPROVE = Function("approve(address,uint256)", ("bool",))
BALANCE_OF = Function("balanceOf(address)", ("uint256",))
MINT = Function("mint(address,uint256)")

CREDITS_CLAIMED = event_topic("CreditsClaimed(address,uint32,uint32,uint256)")
LOSSES_CLAIMED = event_topic("LossesClaimed(uint256)")
FEE_CLAIMED = event_topic("FeeClaimed(address,uint256)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClient:
    """Read balances of the token that pays, and mint it where it is play money."""

    chain: Chain
    """What carries the calls."""
    address: str
    """Address of the token."""
    reader: str
    """Address in whose name balances are read: that of an account, not of a contract."""

    def balance_micro(self, account: str) -> int:
        """Return what ``account`` holds. [micro]"""
        data = BALANCE_OF.encode(account)
        answer = self.chain.call(Call(sender=self.reader, to=self.address, data=data))
        return int(BALANCE_OF.decode(answer)[0])

    def mint(self, account: str, amount_micro: int, *, owner: str) -> Receipt:
        """Create play money for ``account``; only the owner of a `TestToken` can. [micro]"""
        data = MINT.encode(account, amount_micro)
        return all_or_raise(self.chain.send_all([Call(sender=owner, to=self.address, data=data)]))[
            0
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementClient:
    """See `contracts.ledger.SettlementLedger`."""

    chain: Chain
    """What carries the calls."""
    address: str
    """Address of `Settlement`."""
    owner: str
    """Address of the aggregator."""
    token: TokenClient
    """The token that pays."""

    def deposit_bond(self, amount_micro: int) -> Receipt:
        """See `contracts.ledger.SettlementLedger`."""
        return self._send_approved(DEPOSIT_BOND, amount_micro)

    def withdraw_bond(self, amount_micro: int) -> Receipt:
        """See `contracts.ledger.SettlementLedger`."""
        return self._send(self.owner, WITHDRAW_BOND.encode(amount_micro))

    def fund(self, amount_micro: int) -> Receipt:
        """See `contracts.ledger.SettlementLedger`."""
        return self._send_approved(FUND, amount_micro)

    def withdraw_funds(self, amount_micro: int) -> Receipt:
        """See `contracts.ledger.SettlementLedger`."""
        return self._send(self.owner, WITHDRAW_FUNDS.encode(amount_micro))

    def post_boundary(self, interval: int, boundary_wh: int) -> Receipt:
        """See `contracts.ledger.SettlementLedger`."""
        return self._send(self.owner, POST_BOUNDARY.encode(interval, boundary_wh))

    def post(self, clearings: Sequence[Clearing]) -> list[Receipt]:
        """See `contracts.ledger.SettlementLedger`."""
        calls = [
            self._call(
                POST.encode(
                    each.interval, each.price_micro_per_mwh, each.imbalance_price_micro_per_mwh
                )
            )
            for each in clearings
        ]
        return all_or_raise(self.chain.send_all(calls))

    def retract(self, interval: int) -> Receipt:
        """See `contracts.ledger.SettlementLedger`."""
        return self._send(self.owner, RETRACT.encode(interval))

    def settle(self, intervals: Sequence[int]) -> list[Settlement]:
        """See `contracts.ledger.SettlementLedger`."""
        calls = [self._call(SETTLE.encode(each)) for each in intervals]
        receipts = all_or_raise(self.chain.send_all(calls))
        return [
            replace(
                _settlement(each, self._ask(SETTLEMENT_OF, each)[0]),
                transaction_hash=receipt.transaction_hash,
            )
            for each, receipt in zip(intervals, receipts, strict=True)
        ]

    def settlement(self, interval: int) -> Settlement | None:
        """See `contracts.ledger.SettlementLedger`."""
        found = self._ask(SETTLEMENT_OF, interval)[0]
        settled = found[1]
        return _settlement(interval, found) if settled else None

    def clearing(self, interval: int) -> Clearing:
        """See `contracts.ledger.SettlementLedger`."""
        _, _, price, imbalance_price, *_ = self._ask(SETTLEMENT_OF, interval)[0]
        return Clearing(
            interval=interval,
            price_micro_per_mwh=price,
            imbalance_price_micro_per_mwh=imbalance_price,
        )

    def credit_micro(self, account: str, interval: int) -> int:
        """See `contracts.ledger.SettlementLedger`."""
        return int(self._ask(CREDIT_OF, account, interval)[0])

    def claim(self, account: str, first_interval: int, count: int) -> int:
        """See `contracts.ledger.SettlementLedger`."""
        receipt = self._send(account, CLAIM.encode(first_interval, count))
        return self._amount_paid(receipt, CREDITS_CLAIMED)

    def claim_losses(self) -> int:
        """See `contracts.ledger.SettlementLedger`."""
        return self._amount_paid(self._send(self.owner, CLAIM_LOSSES.encode()), LOSSES_CLAIMED)

    def claim_fee(self) -> int:
        """See `contracts.ledger.SettlementLedger`."""
        return self._amount_paid(self._send(self.owner, CLAIM_FEE.encode()), FEE_CLAIMED)

    def books(self) -> Books:
        """See `contracts.ledger.SettlementLedger`."""
        return Books(
            balance_micro=self.token.balance_micro(self.address),
            bond_micro=self._ask(BOND_MICRO)[0],
            funds_micro=self._ask(FUNDS_MICRO)[0],
            fees_micro=self._ask(FEES_MICRO)[0],
            credits_micro=self._ask(CREDITS_MICRO)[0],
            losses_micro=self._ask(LOSSES_MICRO)[0],
            carried_loss_micro=self._ask(CARRIED_LOSS_MICRO)[0],
            open_intervals=self._ask(OPEN_INTERVALS)[0],
        )

    def _amount_paid(self, receipt: Receipt, topic: bytes) -> int:
        """Return the last value of our event with ``topic``, 0 where nothing was paid. [micro]"""
        for log in receipt.logs:
            if log.address == self.address and log.topics[0] == topic:
                return int.from_bytes(log.data[-32:], "big")
        return 0

    def _send_approved(self, function: Function, amount_micro: int) -> Receipt:
        """Let the contract take ``amount_micro`` of the owner's tokens, and tell it to."""
        approval = Call(
            sender=self.owner,
            to=self.token.address,
            data=APPROVE.encode(self.address, amount_micro),
        )
        calls = [approval, self._call(function.encode(amount_micro))]
        return all_or_raise(self.chain.send_all(calls))[1]

    def _call(self, data: bytes) -> Call:
        return Call(sender=self.owner, to=self.address, data=data)

    def _send(self, sender: str, data: bytes) -> Receipt:
        call = Call(sender=sender, to=self.address, data=data)
        return all_or_raise(self.chain.send_all([call]))[0]

    def _ask(self, function: Function, *arguments: object) -> tuple[Any, ...]:
        return function.decode(self.chain.call(self._call(function.encode(*arguments))))


def _settlement(interval: int, found: tuple[Any, ...]) -> Settlement:
    """Return the settlement of ``interval`` in the contract's answer ``found``."""
    _, _, _, _, revenue, fee, pool, repaid, loss, _, bounded, boundary_wh, scaled = found
    return Settlement(
        interval=interval,
        revenue_micro=revenue,
        fee_micro=fee,
        pool_micro=pool,
        repaid_micro=repaid,
        loss_micro=loss,
        boundary_wh=boundary_wh if bounded else None,
        scaled=scaled,
    )
