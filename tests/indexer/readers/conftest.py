"""Lets the tests of this folder import `reader_files`, which makes the files that they read."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
