"""One home: see, decide, set, report."""
