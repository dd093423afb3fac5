"""Which parts of an HTML page are its content, and which are navigation, banners and footers.

No training and no language: the page's own semantic elements and class names first, then how much of an element's
text is links. `docs/readers.md` has the figures against other extractors. One walk to measure, one to choose:
linear in the page, without recursion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

NEVER = frozenset(
    "script style noscript template svg iframe object canvas head button select input textarea audio video map "
    "dialog rp rt datalist -comment meta link".split()
)
_ROLES = frozenset(
    "navigation banner contentinfo search complementary menu menubar dialog alertdialog tablist toolbar".split()
)
_BOILERPLATE = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|navheader|navfooter|topnav|sidenav|topbar|menu|sidebar|breadcrumbs?"
    r"|footer|masthead|cookies?|consent|gdpr|shar(?:e|ing)|social|related|advert(?:isement)?s?|ads?|popup|modal"
    r"|newsletter|subscribe|promo|paginat(?:ion|or)|pager|skip|toc|gtoc|table-of-contents|table_of_contents"
    r"|sphinxsidebar|headerlink|noprint|navpanel|nav-panel|site-header|page-header|widget|banner|toolbar|help-popup)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"©|\(c\)\s*(?:19|20)\d\d|copyright|all rights reserved|privacy policy|terms of (?:use|service)"
    r"|版权所有|著作權|备案",
    re.IGNORECASE,
)
_DENSE = frozenset("div ul ol table tr td section p dl center nav aside header footer form span".split())
_TURNS = frozenset("next prev previous up first last".split())
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)

_MOST = 0.4
_LINK_SHARE = 0.6


@dataclass(slots=True)
class _Measure:
    """What lies under one element: characters of text, of them in links, links, links to turn pages, h1s."""

    text: int = 0
    linked: int = 0
    links: int = 0
    turns: int = 0
    h1: int = 0

    def add(self, other: _Measure) -> None:
        self.text += other.text
        self.linked += other.linked
        self.links += other.links
        self.turns += other.turns
        self.h1 += other.h1


def walk(
    root: LexborNode, skip: frozenset[int] | set[int] = frozenset()
) -> Iterator[tuple[LexborNode, bool]]:
    """Yield each node under and with `root` as (node, entering); elements are left again, with False.

    Elements whose `mem_id` is in `skip`, and those that never hold text, are passed over. An element put into
    `skip` while it is entered is left without its children.
    """
    top, node = root.mem_id, root
    while True:
        tag = node.tag or ""
        passed = tag in NEVER or node.mem_id in skip
        if not passed:
            yield node, True
            child = node.first_child
            if child is not None and node.mem_id not in skip:
                node = child
                continue
            yield node, False
        while node.mem_id != top and node.next is None:
            parent = node.parent
            if parent is None:
                return
            node = parent
            yield node, False
        following = node.next
        if node.mem_id == top or following is None:
            return
        node = following


def find_main(body: LexborNode) -> tuple[LexborNode, set[int]]:
    """Return the element that holds the content, and the `mem_id`s of the elements in it to leave out."""
    measures = _measure(body)
    root = _root(body, measures)
    skip = _boilerplate(body, root, measures)
    kept = _kept(root, skip)
    if kept < 0.1 * measures[body.mem_id].text:
        return body, set()
    return root, skip


def _measure(body: LexborNode) -> dict[int, _Measure]:
    measures: dict[int, _Measure] = {}
    stack: list[_Measure] = []
    for node, entering in walk(body):
        if node.is_text_node:
            if entering and stack:
                stack[-1].text += len("".join((node.text_content or "").split()))
        elif entering:
            stack.append(_Measure())
        else:
            done = stack.pop()
            if node.tag == "a" and "href" in node.attributes:
                done.linked, done.links = done.text, 1
                done.turns = int(bool(_TURNS & set((node.attributes.get("rel") or "").lower().split())))
            elif node.tag == "h1":
                done.h1 += 1
            measures[node.mem_id] = done
            if stack:
                stack[-1].add(done)
    return measures


def _root(body: LexborNode, measures: dict[int, _Measure]) -> LexborNode:
    whole = measures[body.mem_id].text
    for selector, least in (("main, [role=main]", 0.2), ("article", 0.5)):
        found = [node for node in body.css(selector) if node.mem_id in measures]
        if found:
            best = max(found, key=lambda node: measures[node.mem_id].text)
            if measures[best.mem_id].text >= least * whole:
                return best
    return body


def _kept(root: LexborNode, skip: set[int]) -> int:
    return sum(
        len("".join((node.text_content or "").split()))
        for node, entering in walk(root, skip)
        if entering and node.is_text_node
    )


def _boilerplate(body: LexborNode, root: LexborNode, measures: dict[int, _Measure]) -> set[int]:
    whole = max(measures[root.mem_id].text, 1)
    semantic = root.mem_id != body.mem_id
    skip: set[int] = set()
    seen = 0
    inside = 0
    for node, entering in walk(root):
        if node.is_text_node:
            seen += len("".join((node.text_content or "").split())) if entering else 0
            continue
        if not entering:
            inside -= node.mem_id in skip
            continue
        if inside or node.mem_id == root.mem_id:
            inside += inside > 0 and node.mem_id in skip
            continue
        measure = measures[node.mem_id]
        if _is_boilerplate(node, measure, whole, semantic) or (
            not semantic and _is_legal(node, measure, seen, whole)
        ):
            skip.add(node.mem_id)
            inside += 1
    return skip


def _is_boilerplate(node: LexborNode, measure: _Measure, whole: int, semantic: bool) -> bool:
    tag, attributes = node.tag or "", node.attributes
    dense = measure.links > 0 and measure.linked > _LINK_SHARE * measure.text
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    if _HIDDEN.search(attributes.get("style") or ""):
        return True
    share = measure.text / whole
    if tag == "nav" or (attributes.get("role") or "") in _ROLES:
        return share < 0.8
    if tag in ("footer", "aside", "header"):
        if tag == "header":
            return not measure.h1 and (dense or not semantic) and share < _MOST
        return (dense or not semantic) and share < _MOST
    if share < _MOST and (_named_boilerplate(attributes) or _turns_pages(tag, measure)):
        return True
    if semantic or tag not in _DENSE or not dense:
        return False
    return measure.links >= 3 and share < 0.8 and (tag != "p" or measure.linked > 0.8 * measure.text)


def _turns_pages(tag: str, measure: _Measure) -> bool:
    """Tell whether this is the row of links to the next page and the one before."""
    return tag in _DENSE and measure.turns > 0 and measure.text < 400 and measure.linked > 0.3 * measure.text


def _named_boilerplate(attributes: dict[str, str | None]) -> bool:
    return any(_BOILERPLATE.search(attributes.get(name) or "") for name in ("class", "id"))


def _is_legal(node: LexborNode, measure: _Measure, seen: int, whole: int) -> bool:
    """Tell whether this is the small print at the foot of a page."""
    if not 0 < measure.text < 400 or seen < 0.7 * whole or (node.tag or "") not in _DENSE:
        return False
    return _LEGAL.search(node.text(deep=True)[:2000]) is not None
