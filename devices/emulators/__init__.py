"""Devices that speak their vendor's protocol on a real socket or line, over one battery physics."""
