"""Models of homes, sun, wind and prices, each a pure function of seed, settings and UTC day."""
