"""The sub-commands of `gridpact agent`."""
