"""Couraud et al. 2021, section IV: the paper's six scenarios, lived through and set beside it."""
