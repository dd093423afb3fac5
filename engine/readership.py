"""The readers of an index as the query layer sees them: `engine.personal` is imported when one of them first asks.

Whatever becomes of the readers' store, a search has an answer: the list that nobody in particular gets, and a notice.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.errors import SearchError
from engine.interest_term import Inclination
from engine.meaning import QueryEncoder
from engine.query import Query
from indexer.protocol import IndexReader

if TYPE_CHECKING:
    from engine.personal.interests import Interests
    from engine.personal.profiles import Profiles
    from engine.personal.readers import Readers
    from engine.personal.settings import PersonalSettings

_log = logging.getLogger(__name__)


class Readership:
    """Opens the store of a tenant's readers when it is first needed. Safe to share between threads.

    Args:
        index: Whose readers: one with a `path` (they are in its folder), or with a `cluster` and a `name` (they are
            beside it on Elasticsearch); any other has none.
        tenant: Whose readers.
        encoder: Reads what they declared.
        settings: How their past counts; None for the defaults.

    Raises:
        InvalidProfileChange: that is no name of a tenant.
    """

    def __init__(
        self, index: object, tenant: str, encoder: QueryEncoder, settings: PersonalSettings | None
    ) -> None:
        self._index = index
        self._tenant = tenant
        self._encoder = encoder
        self._settings = settings
        self._lock = threading.Lock()
        self._store: Readers | None = None
        self._profiles: Profiles | None = None
        if not (
            tenant.isascii() and tenant.replace("_", "").replace("-", "").isalnum() and len(tenant) <= 64
        ):
            from engine.personal.schema import file_of

            file_of("", tenant)  # which says what is wrong with it

    def beside(self, tenant: str) -> Readership:
        """Return the readers of another tenant of the same index.

        Raises:
            InvalidProfileChange: that is no name of a tenant.
        """
        return Readership(self._index, tenant, self._encoder, self._settings)

    @property
    def settings(self) -> PersonalSettings:
        """How readers' past counts, as clicks have taught it or as it was set."""
        from engine.personal.learned import over

        if self._settings is None:
            from engine.personal.settings import PersonalSettings

            self._settings = PersonalSettings()
        if not self.known:
            return self._settings
        try:
            return over(self._settings, self.store.weights_in_use())
        except SearchError:  # which is told where the readers themselves are asked for
            return self._settings

    @property
    def store(self) -> Readers:
        """What readers did.

        Raises:
            SearchError: the index has no place for them; or the store cannot be opened.
        """
        with self._lock:
            if self._store is None:
                from engine.personal.opening import readers_of

                self._store = readers_of(self._index, self._tenant)
            return self._store

    @property
    def profiles(self) -> Profiles:
        """What they are interested in."""
        store, settings = self.store, self.settings
        with self._lock:
            if self._profiles is None or self._profiles.settings != settings:
                from engine.personal.profiles import Profiles

                self._profiles = Profiles(store, self._encoder, settings)
            return self._profiles

    @property
    def lookups(self) -> tuple[int, int]:
        """How often a profile at hand still held, and how often one was made; anew with other settings."""
        profiles = self._profiles  # no lock: opening the store holds it for as long as a cluster takes
        return (0, 0) if profiles is None else profiles.lookups

    def fingerprint(self, query: Query) -> str:
        """Return what changes with the settings of personal results; empty where nobody's interests count."""
        return self.settings.fingerprint if self._counts(query) else ""

    def incline(self, query: Query, reader: IndexReader) -> tuple[Inclination | None, str]:
        """Return the interests of the reader who asks; None where they have no say, and a notice where that is a fault.

        Args:
            query: What was asked, by whom, and how much they count.
            reader: The index.
        """
        if query.user_id is None or not self._counts(query):
            return None, ""
        try:
            at = None if query.at is None else query.at.timestamp()
            profile = self.profiles.profile(query.user_id, reader, at)
        except SearchError as error:
            _log.warning("the readers' store failed: %s", type(error).__name__)
            return None, f"The readers' store failed, so this is everyone's list ({error!s:.200})."
        if profile is None or profile.tilt.silent:
            return None, ""
        return replace(profile.tilt, strength=query.strength), ""

    def interests(self, user_id: str, reader: IndexReader) -> Interests | None:
        """Return a reader's interests; None for a reader of whom nothing is known."""
        if not self.known:
            return None
        profile = self.profiles.profile(user_id, reader)
        return None if profile is None else profile.interests

    def drop(self, user_id: str) -> None:
        """Forget what was made of a reader's past."""
        with self._lock:
            profiles = self._profiles
        if profiles is not None:
            profiles.drop(user_id)

    def close(self) -> None:
        """Let go of the store."""
        with self._lock:
            store, self._store, self._profiles = self._store, None, None
        if store is not None:
            store.__exit__(None, None, None)

    def _counts(self, query: Query) -> bool:
        return query.personal and self.known

    @property
    def known(self) -> bool:
        """Whether there are readers at all; it costs next to nothing."""
        folder = getattr(self._index, "path", None)
        if (
            folder is not None and self._store is None
        ):  # nothing of `engine.personal` is imported for everyone's list
            return bool((folder / "readers" / f"{self._tenant}.db").exists())
        if folder is None and getattr(self._index, "cluster", None) is None:
            return False
        try:
            return folder is not None or self.store.exists
        except SearchError:
            return True  # what is wrong is told to whom it concerns
