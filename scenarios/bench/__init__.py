"""How fast parts of gridpact are on this machine."""
