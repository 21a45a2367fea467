"""Vendors' devices: each module decodes what a device says and translates it once (§3, §5)."""
