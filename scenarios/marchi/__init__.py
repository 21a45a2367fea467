"""Marchi 2022 done again: five dispatch policies for a campus with PV, battery and chargers."""
