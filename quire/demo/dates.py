"""What is known of when a document of the demonstration last had something new: by Python's own releases.

Neither docstrings nor topics are dated. But topics say "Changed in version 3.8", and of the modules that came with
Python 3.1 or later it is known with which they came. The newest of these releases is a document's; of the others
nothing is known, and they get no date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import date

RELEASES: Mapping[tuple[int, int], date] = {
    (2, 2): date(2001, 12, 21),
    (2, 3): date(2003, 7, 29),
    (2, 4): date(2004, 11, 30),
    (2, 5): date(2006, 9, 19),
    (2, 6): date(2008, 10, 1),
    (3, 0): date(2008, 12, 3),
    (3, 1): date(2009, 6, 27),
    (2, 7): date(2010, 7, 3),
    (3, 2): date(2011, 2, 20),
    (3, 3): date(2012, 9, 29),
    (3, 4): date(2014, 3, 16),
    (3, 5): date(2015, 9, 13),
    (3, 6): date(2016, 12, 23),
    (3, 7): date(2018, 6, 27),
    (3, 8): date(2019, 10, 14),
    (3, 9): date(2020, 10, 5),
    (3, 10): date(2021, 10, 4),
    (3, 11): date(2022, 10, 24),
    (3, 12): date(2023, 10, 2),
    (3, 13): date(2024, 10, 7),
    (3, 14): date(2025, 10, 7),
}
"""When each release came out."""

CAME_WITH: Mapping[str, tuple[int, int]] = {
    "annotationlib": (3, 14),
    "argparse": (3, 2),
    "asyncio": (3, 4),
    "asyncio.mixins": (3, 10),
    "asyncio.runners": (3, 7),
    "asyncio.taskgroups": (3, 11),
    "asyncio.threads": (3, 9),
    "asyncio.timeouts": (3, 11),
    "collections.abc": (3, 3),
    "compression": (3, 14),
    "concurrent": (3, 2),
    "contextvars": (3, 7),
    "dataclasses": (3, 7),
    "dbm.sqlite3": (3, 13),
    "enum": (3, 4),
    "faulthandler": (3, 3),
    "graphlib": (3, 9),
    "importlib": (3, 1),
    "importlib.metadata": (3, 8),
    "importlib.resources": (3, 7),
    "ipaddress": (3, 3),
    "lzma": (3, 3),
    "multiprocessing.resource_tracker": (3, 8),
    "multiprocessing.shared_memory": (3, 8),
    "pathlib": (3, 4),
    "secrets": (3, 6),
    "selectors": (3, 4),
    "statistics": (3, 4),
    "string.templatelib": (3, 14),
    "tomllib": (3, 11),
    "tracemalloc": (3, 4),
    "typing": (3, 5),
    "unittest.async_case": (3, 8),
    "unittest.mock": (3, 3),
    "venv": (3, 3),
    "wsgiref.types": (3, 11),
    "zipapp": (3, 5),
    "zoneinfo": (3, 9),
}
"""With which release modules came that are not older than Python 3; those inside of one came no earlier than it."""

_SAYS = re.compile(
    r"\b(?:new|added|changed|deprecated)\s+(?:in|since)\s+(?:version\s+|python\s+)?(\d)\.(\d{1,2})\b",
    re.IGNORECASE,
)


def newest_release(text: str, module: str = "") -> tuple[int, int] | None:
    """Return the newest release that is known to have brought something new to a document; None where none is.

    Args:
        text: What it says.
        module: The module that it documents, if it does.
    """
    named = {(int(major), int(minor)) for major, minor in _SAYS.findall(text)}
    while module:
        if module in CAME_WITH:
            named.add(CAME_WITH[module])
        module = module.rpartition(".")[0]
    # What the text announces for a release that is still to come is no news of it yet.
    known = [release for release in named if release in RELEASES and release <= sys.version_info[:2]]
    return max(known, key=RELEASES.__getitem__, default=None)
