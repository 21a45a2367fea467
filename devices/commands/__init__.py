"""The sub-commands of `gridpact device`, one module each."""
