"""Lets the tests beside it, and the processes of their nodes, import what lies beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
