"""The report of a fleet's day: one HTML file that needs nothing else, and one picture."""
