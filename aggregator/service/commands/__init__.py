"""Commands to gateways: written down first, sent at a pace, followed until their outcome."""
