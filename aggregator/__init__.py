"""The fleet: plan, bid, publish, settle."""
