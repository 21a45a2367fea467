"""A home's energy, and what its fleet's contract knows of it."""
