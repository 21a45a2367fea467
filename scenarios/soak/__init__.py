"""A gateway through a day of faults at many times the speed."""
