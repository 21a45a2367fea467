"""The sub-commands of `gridpact chain`, by what they are about."""
