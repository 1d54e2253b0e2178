"""Run the README's Python example on a small synthetic study: ``readme_example.py FOLDER``.

It needs the package alone, so that it also runs where no packages for tests are installed.
"""

import os
import re
import runpy
import sys
from pathlib import Path

from nodule.phantom import make_phantom, random_spec, write_study

README = Path(__file__).parents[1] / "README.md"


def example() -> str:
    """Return the README's only block of Python."""
    text = README.read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return str(block)


def main(folder: Path) -> None:
    """Write the study and the example to a folder, and run the example there."""
    folder.mkdir(parents=True, exist_ok=True)
    write_study(make_phantom(random_spec(3, size="small")), folder / "STUDY")
    (folder / "example.py").write_text(example(), encoding="utf-8")
    os.chdir(folder)
    runpy.run_path("example.py")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
