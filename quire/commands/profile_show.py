"""`quire profile show`: what a reader seems to be interested in, and what that rests on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from quire.cli import DONE, State
from quire.index_argument import INDEX, opened
from quire.readers_option import JSON, TENANT, USER, open_readers
from quire.terminal import Screen, harmless, typed

if TYPE_CHECKING:
    from engine import SearchEngine
    from engine.personal.interests import Interests
    from indexer.opening import Place
    from quire.profile_lines import ShownProfile

PHRASES = 4  # that name an interest
READ = 12  # documents of an interest that phrases are taken from


@click.command("show")
@INDEX
@USER
@TENANT
@JSON
@click.pass_obj
def profile_show_command(state: State, index_path: Place, user_id: str, tenant: str, as_json: bool) -> int:
    """Show the interests of USER: how much each weighs, what it is about, which documents it rests on.

    An interest is named by the document in its middle, and that id turns it off: `quire profile mute`.
    """
    from quire.profile_lines import profile_lines

    user_id = typed(user_id)
    with open_readers(index_path, tenant) as store:
        known = store.version(user_id) > 0
    if not known:
        nothing = f"Nothing is kept of {user_id}."
        click.echo(json.dumps({"user_id": user_id, "events": 0}) if as_json else harmless(nothing))
        return DONE
    profile = _profile(state, index_path, user_id, tenant)
    if as_json:
        click.echo(json.dumps(profile.to_json(), ensure_ascii=False))
        return DONE
    for line in profile_lines(profile, Screen.of()):
        click.echo(line, color=True)
    return DONE


def _profile(state: State, index_path: Place, user_id: str, tenant: str) -> ShownProfile:
    from engine import SearchEngine
    from engine.errors import InvalidProfileChange
    from quire.profile_lines import ShownProfile

    configuration = state.configuration()
    with SearchEngine.open(
        index_path,
        settings=configuration.search,
        tenant=tenant,
        personal=configuration.personal,
        elastic=configuration.elasticsearch,
    ) as engine:
        history, interests = engine.readers.history(user_id), engine.interests(user_id)
        if interests is None:
            raise InvalidProfileChange(f"{user_id!r:.80} was erased just now")
        titles = _titles(index_path, sorted(set(history.doc_ids)))
        return ShownProfile(user_id, history, interests, titles, _phrases(engine, interests))


def _titles(index_path: Place, doc_ids: list[str]) -> dict[str, str]:
    """Return the titles of those documents that the index has."""
    with opened(index_path) as index:
        reader = index.reader()
        places = reader.find_all(doc_ids)
        documents = reader.documents(places[places >= 0])
    return {document.doc_id: document.title for document in documents}


def _phrases(engine: SearchEngine, interests: Interests) -> dict[str, list[str]]:
    """Return the phrases that name each interest which rests on documents."""
    return {
        one.name: [phrase.text for phrase in engine.keyphrases(one.documents[:READ], PHRASES)]
        for one in interests.likes
        if one.documents
    }
