"""Before a gateway runs: its files made, everything it names checked."""
