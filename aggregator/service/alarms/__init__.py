"""What is wrong in the fleet: raised once, seen, resolved, and told to people."""
