"""What a DICOM node is told: a TOML file, read as strictly as those of the stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from annotated_types import Interval, Len

from nodule.errors import ConfigError
from nodule.guidelines.facts import Setting
from nodule.ranges import check_fields
from pipelines.config import build, check_sections, read_toml
from pipelines.pacs import DicomNode, DicomWeb, parse_address

Port = Annotated[int, Interval(ge=0, le=65535)]
Seconds = Annotated[float, Interval(gt=0, le=86400)]
Title = Annotated[str, Len(1, 16)]


@dataclass(frozen=True, kw_only=True)
class ListenSettings:
    """Who may send images, and how many at once.

    Parameters
    ----------
    ae_title : of this node; an association that calls another is refused.
    host : address to listen on; this machine alone by default.
    port : 0 for any that is free.
    callers : AE titles that may call; empty for all.
    max_associations : one more is refused.
    stall_s : longest silence of a peer, whose association then ends.
    """

    ae_title: Title = "NODULE"
    host: str = "127.0.0.1"
    port: Port = 11112
    callers: tuple[Title, ...] = ()
    max_associations: Annotated[int, Interval(ge=1, le=1000)] = 10
    stall_s: Seconds = 30.0

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """When a study is complete, and how it is processed.

    Parameters
    ----------
    quiet_s : a study is complete when nothing of it has come for so long.
    setting : why nodules are looked for; none to ask no guideline.
    pdf : whether to print the page, too.
    attempts : how often a study is begun that kills its process.
    limit_s : longest that one may take.
    """

    quiet_s: Seconds = 60.0
    setting: Setting | None = None
    pdf: bool = False
    attempts: Annotated[int, Interval(ge=1, le=100)] = 3
    limit_s: Seconds = 3600.0

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class DiskSettings:
    """How much disk is used.

    Parameters
    ----------
    quota_gib : of all that lies in the node's folder; more images are refused with 0xA700.
    keep_h : how long images and results of a study are kept after all has been sent.
    """

    quota_gib: Annotated[float, Interval(gt=0, le=1e6)] = 50.0
    keep_h: Annotated[float, Interval(ge=0, le=1e6)] = 72.0

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class SendSettings:
    """Where results go.

    Parameters
    ----------
    to : addresses, see :func:`pipelines.pacs.parse_address`; empty to keep them here.
    retry_s : time after which sending is tried again; it doubles up to an hour.
    commit : whether a DICOM node is asked to commit to keep what it took (PS3.4 J).
    """

    to: tuple[str, ...] = ()
    retry_s: Seconds = 60.0
    commit: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        for each in self.to:
            parse_address(each)

    @property
    def addresses(self) -> tuple[DicomNode | DicomWeb, ...]:
        """The archives."""
        return tuple(map(parse_address, self.to))


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """What is looked for besides what is sent here.

    Parameters
    ----------
    folder : in which studies appear, each a folder or a file; empty for none.
    service : DICOMweb root whose new CT studies are fetched; empty for none.
    every_s : how often to look.
    priors : DICOMweb root from which the latest earlier chest CT of a patient is fetched and
        compared; empty for none.
    """

    folder: str = ""
    service: str = ""
    every_s: Seconds = 30.0
    priors: str = ""

    def __post_init__(self) -> None:
        check_fields(self)
        for each in (self.service, self.priors):
            if each and not isinstance(parse_address(each), DicomWeb):
                raise ConfigError(
                    "this is no DICOMweb service",
                    code="BAD_VALUE",
                    expected="https://HOST/dicom-web",
                    got=each,
                )


@dataclass(frozen=True, kw_only=True)
class MonitorSettings:
    """What can be asked over HTTP: ``/health`` and, for Prometheus, ``/metrics``.

    Parameters
    ----------
    host : address to listen on.
    port : 0 for any that is free.
    """

    host: str = "127.0.0.1"
    port: Port = 8042

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """All that a node is told; each part has a section of its own in the file."""

    listen: ListenSettings = field(default_factory=ListenSettings)
    study: StudySettings = field(default_factory=StudySettings)
    disk: DiskSettings = field(default_factory=DiskSettings)
    send: SendSettings = field(default_factory=SendSettings)
    source: SourceSettings = field(default_factory=SourceSettings)
    monitor: MonitorSettings = field(default_factory=MonitorSettings)


_PARTS = {
    "listen": ListenSettings,
    "study": StudySettings,
    "disk": DiskSettings,
    "send": SendSettings,
    "source": SourceSettings,
    "monitor": MonitorSettings,
}


def read_serve_settings(path: Path) -> ServeSettings:
    """Read a node's settings.

    Raises
    ------
    ConfigError : ``NO_CONFIG``, ``NOT_TOML``, ``UNKNOWN_SECTION``, ``UNKNOWN_KEY``, ``BAD_VALUE``.
    """
    document = read_toml(path)
    check_sections(document, _PARTS, file=path)
    parts = {
        name: build(_PARTS[name], table, file=path, section=name)
        for name, table in document.items()
    }
    return ServeSettings(**parts)
