import pytest

from nodule.errors import InputError
from nodule.evaluate.detection.scans import load_read_scan


@pytest.mark.parametrize(("files", "code"), [((), "NO_READINGS"), (("a", "b"), "MANY_READINGS")])
def test_refuses_a_scan_whose_readings_are_unknown(tmp_path, files, code):
    for name in files:
        (tmp_path / f"{name}.xml").write_text("<LidcReadMessage/>")
    with pytest.raises(InputError) as refused:
        load_read_scan(tmp_path)
    assert refused.value.code == code
