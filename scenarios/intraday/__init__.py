"""What it adds to plan again and trade within the day."""
