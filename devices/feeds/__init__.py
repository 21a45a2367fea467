"""Prices of the power market: read from a file or over HTTP, kept on disk, honest about holes."""
