"""Templates to answers: `render`, and what every template finds in its context."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from engine.service.access.caller import Caller
from engine.service.box.words.words import LANGUAGES, Words, negotiated

_BOX = Path(__file__).parents[1]
_NEVER_CHANGES = "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".css": "text/css"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What a template needs besides its own values; it finds them as `frame`.

    Args:
        words: The words of the page; a template finds it as `t`.
        path: The path that was asked for.
        parameters: The query string's, in order, for a link to the same page in the other language.
        named: Whether the URL names the language, so that links of the page do too.
        caller: Who asks; None on a page that tells of an error before that is known.
    """

    words: Words
    path: str
    parameters: tuple[tuple[str, str], ...]
    named: bool
    caller: Caller | None

    def link(self, path: str, **parameters: object) -> str:
        """Return the URL of another page of the box: values escaped, the page's language kept.

        Args:
            path: Its path.
            **parameters: Of its query string; those that are None or empty are left out, of a list or tuple each
                element is one.
        """
        pairs: list[tuple[str, object]] = []
        for name, value in parameters.items():
            values = value if isinstance(value, list | tuple) else (value,)
            pairs += [(name, one) for one in values if one not in (None, "")]
        if self.named:
            pairs.append(("lang", self.words.language))
        return f"{path}?{urlencode(pairs, quote_via=quote)}" if pairs else path

    def in_language(self, language: str) -> str:
        """Return the URL of this page in a language."""
        kept = [
            (name, value)
            for name, value in self.parameters
            if name not in ("lang", "beat", "typing") and not name.startswith("noted")
        ]
        path = "/" if self.path == "/results" else self.path
        return f"{path}?{urlencode([*kept, ('lang', language)], quote_via=quote)}"


def frame_of(request: Request, caller: Caller | None) -> Frame:
    """Return the frame of a request's page."""
    named = request.query_params.get("lang", "")
    language = named if named in LANGUAGES else negotiated(request.headers.get("accept-language", ""))
    path = request.url.path
    if request.method != "GET":  # such a path has no page of its own to come back to
        path = "/you" if path.startswith("/you") else "/"
    return Frame(
        words=Words(language),
        path=path,
        parameters=tuple(request.query_params.multi_items()) if request.method == "GET" else (),
        named=named in LANGUAGES,
        caller=caller,
    )


def render(
    request: Request,
    template: str,
    *,
    caller: Caller | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """Return a page, or a piece of one.

    Args:
        request: What it answers.
        template: Its file in `templates/`.
        caller: Who asks, as `box_caller` says.
        status: The HTTP status.
        headers: Headers besides those of every page.
        **values: What the template reads, besides `frame`, `t` (the words), `link`, `static` and `languages`.
    """
    frame = frame_of(request, caller)
    html = (
        _environment()
        .get_template(template)
        .render(frame=frame, t=frame.words, link=frame.link, static=static, languages=LANGUAGES, **values)
    )
    return HTMLResponse(
        html,
        status,
        {
            "Content-Language": frame.words.tag,
            "Vary": "Accept-Language, Cookie",
            "Cache-Control": "private, no-cache",
            **(headers or {}),
        },
    )


def static(name: str) -> str:
    """Return the URL of a file in `static/`; it changes with any of the files."""
    return f"/static/{_files().version}/{name}"


def static_answer(request: Request, version: str, name: str) -> Response:
    """Return a file of `static/`, to be kept for good where the URL is of these very files; 404 where there is none."""
    files = _files()
    if name not in files.contents:
        return Response(status_code=404)
    kept = _NEVER_CHANGES if version == files.version else "no-cache"
    kind = _TYPES.get(Path(name).suffix) or guess_type(name)[0] or "application/octet-stream"
    headers = {"Cache-Control": kept, "Vary": "Accept-Encoding"}
    content = files.contents[name]
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = files.zipped[name]
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=kind, headers=headers)


def _signed(number: float) -> str:
    """Return a number with its sign, to three places; what is nothing then has a plus."""
    rounded = round(number, 3) or 0.0
    return f"{rounded:+.3f}".replace("-", "−")


@dataclass(frozen=True, slots=True)
class _Files:
    contents: Mapping[str, bytes]
    zipped: Mapping[str, bytes]
    version: str


@cache
def _files() -> _Files:
    contents = {
        path.name: path.read_bytes() for path in sorted((_BOX / "static").iterdir()) if path.is_file()
    }
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    zipped = {name: gzip.compress(content, mtime=0) for name, content in contents.items()}
    return _Files(contents, zipped, digest.hexdigest()[:12])


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_BOX / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    filters: dict[str, Callable[..., str]] = {"count": lambda number: f"{number:,}", "signed": _signed}
    environment.filters.update(filters)
    return environment
