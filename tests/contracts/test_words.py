"""Calls and answers of single words, against eth_abi, which knows all others too."""

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from hypothesis import given
from hypothesis import strategies as st

from contracts.abi import Function
from contracts.errors import LedgerReplyError

KINDS = ("uint8", "uint32", "uint80", "uint256", "int32", "int64", "int256", "bool", "address")
RETURNS = KINDS[:-1]
ACCOUNT = "0x8FadbEbF8A5Fc6dB60934a090ad874B3F7E375Fa"
edges = st.sampled_from(
    [bits for size in (8, 31, 32, 63, 64, 80, 255, 256) for bits in (1 << size,)]
)
numbers = st.builds(
    lambda edge, off, sign: sign * (edge + off), edges, st.integers(-2, 2), st.sampled_from([1, -1])
)
values = (
    numbers
    | st.integers(-3, 300)
    | st.booleans()
    | st.sampled_from(
        [ACCOUNT, ACCOUNT.lower(), ACCOUNT.replace("8F", "8f"), "0x12", None, 1.0, b"\0" * 20]
    )
)


@given(st.lists(st.tuples(st.sampled_from(KINDS), values), max_size=4))
def test_a_call_is_written_as_eth_abi_writes_it_or_refused_as_it_refuses(arguments):
    kinds, given_values = [kind for kind, _ in arguments], [value for _, value in arguments]
    function = Function(f"ask({','.join(kinds)})")
    try:
        expected = function.selector + encode(kinds, given_values)
    except EncodingError as error:
        with pytest.raises(type(error)):
            function.encode(*given_values)
    else:
        assert function.encode(*given_values) == expected


words = st.builds(
    lambda number: (number % (1 << 256)).to_bytes(32, "big"), numbers | st.integers(-3, 3)
)


@given(
    st.lists(st.tuples(st.sampled_from(RETURNS), words), max_size=4),
    st.binary(max_size=2),
    st.booleans(),
)
def test_an_answer_is_read_as_eth_abi_reads_it_or_refused_as_it_refuses(told, more, struct):
    kinds, answer = tuple(kind for kind, _ in told), b"".join(word for _, word in told) + more
    if struct and kinds:
        kinds = (f"({','.join(kinds)})",)
    function = Function("ask()", kinds)
    try:
        expected = decode(kinds, answer)
    except DecodingError:
        with pytest.raises(LedgerReplyError):
            function.decode(answer)
    else:
        found = function.decode(answer)
        assert found == expected
        assert repr(found) == repr(expected)  # True is 1, and is not what a number is read as
