"""The way to a contract behind a node: sending, waiting, hearing, and what to do when it breaks."""
