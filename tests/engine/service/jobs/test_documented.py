"""docs/service.md says how requests for jobs are refused."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
INDEXING = (
    (ROOT / "docs" / "service.md").read_text("utf-8").partition("\n## Indexing\n")[2].partition("\n## ")[0]
)
ELSEWHERE = {"malformed", "body-too-large", "client-gone", "unsupported-media-type"}
"""What any request may be refused with; who has gone is told nothing."""


def test_every_refusal_is_documented_with_its_status() -> None:
    files = [*(ROOT / "engine/service/jobs").glob("*.py"), ROOT / "engine/service/api/jobs.py"]
    source = "".join(path.read_text("utf-8") for path in files)
    raised = set(re.findall(r'Problem\(\s*(\d{3}),\s*"([a-z-]+)"', source))
    told = {
        (status, kind)
        for status, kinds in re.findall(r"^\| (\d{3}) \| (`[^|]+) \|", INDEXING, re.M)
        for kind in re.findall(r"`([a-z-]+)`", kinds)
    }
    assert {(status, kind) for status, kind in raised if kind not in ELSEWHERE} == told
