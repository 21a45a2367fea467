"""Tests sign by libsecp256k1 (coincurve), gateways in plain Python: both say the same."""

from eth_keys import KeyAPI
from eth_keys.backends import CoinCurveECCBackend, NativeECCBackend
from hypothesis import given, settings
from hypothesis import strategies as st

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEYS = st.integers(1, ORDER - 1).map(lambda key: key.to_bytes(32))


@settings(max_examples=25)
@given(KEYS, st.binary(min_size=32, max_size=32))
def test_a_gateway_signs_as_these_tests_do_and_each_recovers_the_other(key, digest):
    apis = KeyAPI(backend=NativeECCBackend()), KeyAPI(backend=CoinCurveECCBackend())
    plain, library = (api.ecdsa_sign(digest, api.PrivateKey(key)) for api in apis)

    assert plain.to_bytes() == library.to_bytes()
    recovered = {api.ecdsa_recover(digest, plain).to_bytes() for api in apis}
    assert recovered == {apis[0].PrivateKey(key).public_key.to_bytes()}
