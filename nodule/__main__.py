"""``python -m nodule``: the command ``nodule``.

The command is part of the package ``pipelines``, which this one never imports: it is looked up
among the entry points that are installed with this package.
"""

from importlib.metadata import distribution


def main() -> None:
    """Run the command; raises `PackageNotFoundError` where the package is not installed."""
    scripts = distribution("nodule").entry_points
    (command,) = scripts.select(group="console_scripts", name="nodule")
    command.load()()


if __name__ == "__main__":
    main()
