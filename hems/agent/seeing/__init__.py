"""What a gateway makes of its readings: which it believes, what it remembers and expects."""
