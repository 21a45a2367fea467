"""What to offer for gas, and by how much to raise an offer that nobody takes.

Notes
-----
A node replaces a transaction in its pool only for a fee that is higher by a tenth (Geth) or by an
eighth (Parity's rule, which others kept), of the cap and of the tip alike.
"""

from web3 import Web3
from web3.types import TxParams, Wei


def offer(w3: Web3, cap_wei: int | None) -> TxParams:
    """Return the fields that offer twice the base fee of now, as wallets do, or a gas price.

    Parameters
    ----------
    w3 : Web3
        The node, whose latest block says whether the chain has base fees (EIP-1559).
    cap_wei : int or None
        What a unit of gas may cost at most. [wei]
    """
    base_wei = w3.eth.get_block("latest").get("baseFeePerGas")
    if base_wei is None:
        return {"gasPrice": Wei(_capped(w3.eth.gas_price, cap_wei))}
    # where gas is free there is nothing to outbid, and a sender without coins could not pay a tip
    tip_wei = w3.eth.max_priority_fee if base_wei else Wei(0)
    fee_wei = _capped(2 * base_wei + tip_wei, cap_wei)
    return {"maxFeePerGas": Wei(fee_wei), "maxPriorityFeePerGas": Wei(min(tip_wei, fee_wei))}


def raised(before: TxParams, now: TxParams, cap_wei: int | None) -> TxParams | None:
    """Return a higher offer in place of ``before``, or None where the cap forbids one.

    Parameters
    ----------
    before : TxParams
        The fee's fields of the transaction to replace.
    now : TxParams
        What a new transaction would offer.
    cap_wei : int or None
        What a unit of gas may cost at most; None forbids any raise. [wei]

    Notes
    -----
    An offer of nothing is not raised: a chain without fees leaves transactions for other reasons.
    """
    if "gasPrice" in before:
        price_wei = _replacement(int(before["gasPrice"]), int(now.get("gasPrice", 0)), cap_wei)
        return None if price_wei is None else {"gasPrice": Wei(price_wei)}
    fee_wei = _replacement(int(before["maxFeePerGas"]), int(now.get("maxFeePerGas", 0)), cap_wei)
    if fee_wei is None:
        return None
    tip_wei = max(_eighth_more(int(before["maxPriorityFeePerGas"])), 1)
    wanted_wei = max(tip_wei, int(now.get("maxPriorityFeePerGas", 0)))
    return {"maxFeePerGas": Wei(fee_wei), "maxPriorityFeePerGas": Wei(min(wanted_wei, fee_wei))}


def _replacement(before_wei: int, now_wei: int, cap_wei: int | None) -> int | None:
    least_wei = _eighth_more(before_wei)
    if not before_wei or cap_wei is None or least_wei > cap_wei:
        return None
    return min(max(least_wei, now_wei), cap_wei)


def _eighth_more(amount_wei: int) -> int:
    """Return at least 112.5 % of an amount, rounded up. [wei]"""
    return -(-amount_wei * 9 // 8)


def _capped(amount_wei: int, cap_wei: int | None) -> int:
    return amount_wei if cap_wei is None else min(amount_wei, cap_wei)
