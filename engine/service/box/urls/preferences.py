"""What a reader wishes of every list, kept in their browser: a plain cookie that nobody needs to trust.

It says no more than the URL of a search may say as well: that interests do not count, or how much. What a URL says
goes before it, so that a link shows everybody the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from fastapi import Request, Response

from engine.service.access.dependencies import the_service
from engine.service.box.urls.asked import Asked
from engine.service.box.urls.place import Place

COOKIE = "quire_preferences"
_SECONDS = 180 * 86_400


@dataclass(frozen=True, slots=True)
class Preferences:
    """What holds for a list whose URL does not say otherwise.

    Args:
        personal: Whether the reader's interests count, and what they open is remembered.
        strength: How much interests count; 1 as the settings say.
    """

    personal: bool = True
    strength: float = 1.0

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What of these is not as usual, as the URL of a search says it."""
        return [
            *([] if self.personal else [("personal", "off")]),
            *([] if self.strength == 1 else [("strength", f"{self.strength:g}")]),
        ]


def preferences_of(request: Request) -> Preferences:
    """Return what the browser's reader wishes; what cannot be read of it is as usual."""
    given = request.cookies.get(COOKIE, "")[:200]
    asked = Asked.of(parse_qsl(given, max_num_fields=8) if given.count("&") < 8 else [])
    return Preferences(asked.personal, asked.strength)


def place_of(request: Request) -> Place:
    """Return the place that a request's URL names, with the search that it was found by."""
    wished = preferences_of(request)
    return Place.of(request.query_params.multi_items(), (wished.personal, wished.strength))


def keep_preferences(request: Request, response: Response, wished: Preferences) -> None:
    """Let the browser keep what its reader wishes; where all is as usual, it keeps nothing."""
    secure = the_service(request).proxies.is_https(request.scope)
    if wished == Preferences():
        response.delete_cookie(COOKIE, secure=secure, httponly=True, samesite="lax")
        return
    response.set_cookie(
        COOKIE, urlencode(wished.pairs), max_age=_SECONDS, secure=secure, httponly=True, samesite="lax"
    )
