"""The version of the package, from which everything else takes it."""

__version__ = "0.2.0"
