"""Homes, devices and tariffs with the versions of their configuration: who changed what when."""
