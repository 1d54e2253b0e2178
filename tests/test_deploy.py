"""The examples of deployment say what the README says, and hold what they promise."""

import configparser
import re
import shlex
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "configs" / "deploy"


def instructions() -> list[tuple[str, str]]:
    text = (FOLDER / "Dockerfile").read_text().replace("\\\n", " ")
    lines = (line.strip() for line in text.splitlines())
    return [
        (line.split()[0], line.split(maxsplit=1)[1])
        for line in lines
        if line and not line.startswith("#")
    ]


def test_the_container_installs_by_the_readmes_command() -> None:
    torch = dict(instructions())["ARG"].partition("=")[2]
    (install,) = [words for kind, words in instructions() if kind == "RUN" and "pip" in words]
    command = install.split("&&")[0].replace("${TORCH}", torch).split()
    assert command[:2] == ["pip", "install"]
    readme = re.search(
        r"pip install (torch==\S+) \. && nodule demo", (ROOT / "README.md").read_text()
    )
    assert readme is not None
    assert readme[1] in command
    assert shlex.split(command[-1])[0].startswith(".")


def test_the_container_copies_what_the_checkout_has_and_the_package_needs() -> None:
    copied = {
        word for kind, words in instructions() if kind == "COPY" for word in words.split()[:-1]
    }
    assert copied >= {"pyproject.toml", "README.md", "LICENSE", "nodule", "pipelines", "configs"}
    assert all((ROOT / each).exists() for each in copied)


def test_the_container_does_not_run_as_root_and_is_asked_how_it_is() -> None:
    kinds = dict(instructions())
    assert kinds["USER"] == "nodule"
    assert "/health" in kinds["HEALTHCHECK"]
    last_user = max(n for n, (kind, _) in enumerate(instructions()) if kind == "USER")
    assert all(kind != "RUN" for kind, _ in instructions()[last_user:])


def test_the_compose_file_keeps_the_root_read_only_and_ports_on_the_host() -> None:
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    node = services["nodule"]
    assert node["read_only"] is True
    assert node["cap_drop"] == ["ALL"]
    ports = [port for service in services.values() for port in service["ports"]]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert node["command"][0] == "serve"
    assert (FOLDER / node["build"]["context"]).resolve() == ROOT


def test_the_unit_starts_a_node_that_nobody_else_reads() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(FOLDER / "nodule.service")
    service = unit["Service"]
    assert shlex.split(service["ExecStart"])[1] == "serve"
    assert service["StateDirectoryMode"] == "0700"
    assert service["NoNewPrivileges"] == "yes"
    assert service["Restart"] == "always"
