"""The home gateway's program: one process that sees, decides, sets and reports for one home."""
