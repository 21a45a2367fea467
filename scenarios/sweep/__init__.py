"""What one input does to a fleet's revenue: many runs, one picture."""
