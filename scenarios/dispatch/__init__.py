"""A plant of PV, battery, load and chargers behind a meter, run by dispatch policies."""
