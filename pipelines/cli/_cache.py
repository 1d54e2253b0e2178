"""``nodule cache``: what is stored, why a stage will run again, verification and pruning."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from pipelines.cli._options import CacheOption, ConfigOption, SeriesOption, StudyArgument
from pipelines.cli._summary import NOTHING_DONE
from pipelines.cli._terminal import say, say_error

cache_app = typer.Typer(
    help="Inspect, verify and prune the cache of the stages' outputs.", no_args_is_help=True
)
_GIB = 1 << 30
_DAY_S = 86400.0


@cache_app.command("list")
def list_entries(cache: CacheOption = None) -> None:
    """List all entries, the last used first: stage, version, size, seconds, last use, key."""
    from pipelines.cache import Cache
    from pipelines.request import cache_folder

    store = Cache(cache_folder(cache))
    entries = sorted(store.entries(), key=lambda e: -store.last_used(e.recipe.key))
    for entry in entries:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(store.last_used(entry.recipe.key)))
        say(
            f"{entry.recipe.stage:<12} v{entry.recipe.version:<3} {entry.size / 1e6:8.1f} MB "
            f"{entry.seconds:7.1f} s  {used}  {entry.recipe.key[:12]}"
        )
    total = sum(entry.size for entry in entries)
    say(f"{len(entries)} entries, {total / 1e6:.1f} MB in {store.root}")


@cache_app.command("explain")
def explain_study(
    study: StudyArgument,
    config: ConfigOption = None,
    series: SeriesOption = None,
    cache: CacheOption = None,
) -> None:
    """Say for each stage of nodule run whether it will run again on a study, and why."""
    from nodule.ct import inventory
    from pipelines.flows import detect_flow
    from pipelines.request import RunRequest
    from pipelines.staleness import explain

    request = RunRequest(studies=(study,), series_uid=series, config=config, cache=cache)
    source = inventory(study).choose(request.series_uid)
    recipes = detect_flow(request.chain).recipes({"series": source.digest})
    for each in explain(recipes, request.store):
        say(f"{each.stage:<12} {each.verdict:<10} {each.key[:12]}")
        for difference in each.differences:
            say(f"  {difference}")


@cache_app.command("verify")
def verify(cache: CacheOption = None) -> None:
    """Verify every byte of every entry, and set corrupt entries aside.

    Exit status 1 if there were any.
    """
    from pipelines.cache import Cache
    from pipelines.request import cache_folder

    store = Cache(cache_folder(cache))
    verdicts = store.verify()
    corrupt = {key: error for key, error in verdicts.items() if error is not None}
    for error in corrupt.values():
        say_error(str(error))
    for folder in store.foreign():
        say_error(f"{folder.name}: of another format, not verified; nodule cache prune removes it")
    say(f"{len(verdicts)} entries, {len(corrupt)} corrupt")
    if corrupt:
        raise typer.Exit(NOTHING_DONE)


@cache_app.command("prune")
def prune(
    max_gib: Annotated[
        float | None, typer.Option(min=0, help="Keep at most this many GiB, the last used first.")
    ] = None,
    max_days: Annotated[
        float | None,
        typer.Option(min=0, help="Remove entries that were not used for this many days."),
    ] = None,
    cache: CacheOption = None,
) -> None:
    """Remove what killed runs left behind, and entries by age and size."""
    from pipelines.cache import Cache
    from pipelines.request import cache_folder

    pruned = Cache(cache_folder(cache)).prune(
        max_age_s=None if max_days is None else max_days * _DAY_S,
        max_size=None if max_gib is None else int(max_gib * _GIB),
    )
    say(f"removed {len(pruned.keys)} entries and {pruned.leftovers} leftovers")
