"""A fleet in simulated time: homes in shards, the contract between them, day after day."""
