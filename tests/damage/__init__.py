"""Inputs of known truth, damage of every kind, and what came of reading them."""
