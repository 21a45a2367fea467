"""The market day, a step at a time: each makes rows of the store out of rows of the store."""
