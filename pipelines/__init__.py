"""Runs flows of stages: order, cache, configuration, training loop, command line."""
