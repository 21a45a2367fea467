"""Chains on this computer: in process for simulations, development nodes for all else."""
