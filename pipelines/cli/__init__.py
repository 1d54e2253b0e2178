"""Command line: arguments and terminal only, one file per command group."""
