"""Server-sent events come out the same wherever the stream was cut, and whatever is in them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.service.client.server_events import EventParser, ServerEvent

NAMES = st.text(
    st.characters(exclude_characters="\r\n\x00", exclude_categories=["Cs"]), min_size=1, max_size=12
)
LINES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=40)


@given(
    events=st.lists(st.tuples(NAMES, st.lists(LINES, min_size=1, max_size=4)), max_size=5),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    cuts=st.lists(st.integers(0, 400), max_size=20),
)
@settings(max_examples=200)
def test_cut_anywhere(events: list[tuple[str, list[str]]], end: str, cuts: list[int]) -> None:
    text = "".join(
        f"event: {name}{end}" + "".join(f"data: {line}{end}" for line in lines) + end
        for name, lines in events
    )
    # What ends with CR may go on with LF: only the next byte tells.
    stream = (text + (":" if end == "\r" else "")).encode()
    places = sorted({min(cut, len(stream)) for cut in cuts})
    pieces = [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]
    parser = EventParser()
    found = [event for piece in pieces for event in parser.feed(piece)]
    assert found == [ServerEvent(name, "\n".join(lines)) for name, lines in events]


def test_lines_end_nowhere_else() -> None:
    """At these, `str.splitlines` cuts, and so would a parser that goes by the lines of httpx."""
    odd = "one\u2028two\u2029three\x85four\x0bfive\x1csix"
    assert EventParser().feed(f"data: {odd}\n\n".encode()) == [ServerEvent("message", odd)]


def test_comments_and_other_fields_are_passed_over() -> None:
    stream = b": keep-alive\n\nid: 7\nretry: 100\nevent: first\ndata:no space\ndata:  two\n\n"
    stream += b"event: empty\n\ndata: last\n"
    parser = EventParser()
    assert parser.feed(stream) == [ServerEvent("first", "no space\n two")]
    assert parser.feed(b"\n") == [ServerEvent("message", "last")]
