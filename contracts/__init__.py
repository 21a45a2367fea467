"""The promise: the Solidity contracts, the values both sides sign, and the way to a chain."""
