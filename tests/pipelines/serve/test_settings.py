from pathlib import Path

import pytest

from nodule.errors import ConfigError
from pipelines.config import shipped_config
from pipelines.serve import ServeSettings, read_serve_settings


def test_the_shipped_file_states_the_defaults() -> None:
    assert read_serve_settings(shipped_config("serve")) == ServeSettings()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[listen]\nport = 70000\n", "BAD_VALUE"),
        ("[listen]\nae_title = 'LONGER THAN SIXTEEN'\n", "BAD_VALUE"),
        ("[send]\nto = ['PACS']\n", "BAD_VALUE"),
        ("[source]\npriors = 'dicom://A@h:1'\n", "BAD_VALUE"),
        ("[listen]\nprot = 1\n", "UNKNOWN_KEY"),
        ("[lisen]\n", "UNKNOWN_SECTION"),
        ("[disk]\nquota_gib = 0\n", "BAD_VALUE"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(text: str, code: str, tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=code):
        read_serve_settings(file)
