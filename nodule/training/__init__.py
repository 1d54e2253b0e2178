"""Data that networks are trained on: one of each thing, for all networks."""
