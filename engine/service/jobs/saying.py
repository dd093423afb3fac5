"""How a child process tells how it is getting on: one JSON object a line."""

from __future__ import annotations

import json
import sys


def say(**values: object) -> None:
    """Tell it to whoever started this process."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()
