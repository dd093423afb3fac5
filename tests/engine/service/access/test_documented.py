"""docs/service.md says what is refused, and the limits that no setting holds."""

from __future__ import annotations

import re
from pathlib import Path

from engine.service.access import admission, body_limit, connections, heads
from engine.service.access.caller import SCOPES
from engine.service.access.tokens import CLAIMS, GUEST

ROOT = Path(__file__).resolve().parents[4]
PART = re.search(
    r"^## Access and security\n(.*?)(?=^## |\Z)",
    (ROOT / "docs" / "service.md").read_text("utf-8"),
    re.M | re.S,
)


def section() -> str:
    """Return the part on access."""
    assert PART is not None
    return PART[1]


def test_every_refusal_is_documented_with_its_status() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "engine/service/access").glob("*.py"))
    raised = set(re.findall(r'Problem\(\s*(\d{3}),\s*"([a-z-]+)"', source))
    raised |= {("401", "token-invalid")}
    table = section().partition("### What is refused")[2]
    told = {
        (status, kind)
        for statuses, kinds in re.findall(r"^\| ([\d, ]+) \| (`[^|]+) \|", table, re.M)
        for status in statuses.split(", ")
        for kind in re.findall(r"`([a-z-]+)`", kinds)
    }
    assert len(raised) > 15
    assert {kind for _, kind in raised} == {kind for _, kind in told}
    assert raised <= told


def test_scopes_and_claims_are_documented() -> None:
    for word in (*SCOPES, *CLAIMS):
        assert f"`{word}`" in section(), word
    assert f"`{GUEST}" in section()


def test_the_limits_are_those_of_the_code() -> None:
    limits = section().partition("### How much, how often")[2].partition("###")[0]
    assert f"{admission.FAILURES_A_MINUTE} a minute" in limits
    assert f"{heads.MOST_HEADERS}, with {heads.LONGEST_HEADERS // 1024} KB together" in limits
    assert f"or {body_limit.SLOWEST // 1024} KB/s from then on" in limits
    assert f"whole after {connections.HEAD_SECONDS:g} seconds" in limits
