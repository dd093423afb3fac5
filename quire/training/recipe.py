"""`Recipe`: everything that decides a training run, from where the data are to the last setting."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias

from engine.configuration import IndexingSettings
from engine.settings import SearchSettings
from indexer.setting_values import NONE
from reranker.data.clicks import PositionCurve
from reranker.data.mining_settings import MiningSettings
from reranker.data.structure import StructureSettings
from reranker.errors import InvalidTrainingSettings, TrainingDataError
from reranker.training.settings import TrainingSettings

Kind: TypeAlias = Literal["judgements", "structure", "clicks", "preferences", "examples"]
HUB = "irds:"


@dataclass(frozen=True, slots=True)
class DataSource:
    """Where some of the data come from: what is known, and the documents that it is known of.

    What is known is one of: the judgements of a collection; the structure of documents; clicks; preferences; or
    examples that are finished already. The documents are those of an index, or else of the collection, of which an
    index is then made in the run's folder.

    Args:
        collection: A BEIR folder, or `irds:NAME`.
        split: Which of its judgements, as `eval.formats.read_collection` takes it.
        structure: Whether titles and headings are the queries, and what stands under them the answers.
        clicks: A file, as `reranker.data.read_clicks` reads it.
        preferences: A file, as `reranker.data.read_preferences` reads it. Where it holds the passages themselves, no
            index is needed; nothing is mined then.
        examples: A file that `quire mine` wrote.
        index: The index whose documents are meant, and from which wrong answers are drawn.
        name: What reports call it; by default after its files. Finished examples keep the names that they have.
        queries: At most so many of its queries, drawn by chance; 0 for all.
        weight: How often each of its queries is trained on in an epoch; 0.3 is a sample of three in ten.
        mining: How it is mined, where that differs from the others.

    Raises:
        InvalidTrainingSettings: these do not go together.
    """

    collection: str = ""
    split: str = ""
    structure: bool = False
    clicks: str = ""
    preferences: str = ""
    examples: str = ""
    index: str = ""
    name: str = ""
    queries: int = 0
    weight: float = 1.0
    mining: MiningSettings | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("structure", "clicks", "preferences", "examples") if getattr(self, name)]
        if len(given) > 1 or not (given or self.collection):
            found = " and ".join(given) or "none"
            raise InvalidTrainingSettings(
                "data are one of a collection (with its judgements), structure, clicks, preferences or examples; found "
                f"{found}"
            )
        if self.split and not self.collection:
            raise InvalidTrainingSettings(f"split {self.split!r} is of a collection, and none is given")
        if given and self.index and self.collection:
            raise InvalidTrainingSettings(
                f"{given[0]} with both the index {self.index} and the collection {self.collection}: of which "
                "documents? Leave one out"
            )
        if self.kind == "examples" and (self.index or self.collection or self.mining):
            raise InvalidTrainingSettings(
                f"the examples in {self.examples} are finished: leave index, collection and mining out"
            )
        if self.kind in ("structure", "clicks") and not (self.index or self.collection):
            raise InvalidTrainingSettings(
                f"{self.kind} need an index with the documents, or a collection to make one of; found neither"
            )
        if isinstance(self.queries, bool) or self.queries < 0:
            raise InvalidTrainingSettings(
                f"queries is a whole number of at least 0, 0 for all; found {self.queries!r}"
            )
        if not (math.isfinite(self.weight) and 0 < self.weight <= 1000):
            raise InvalidTrainingSettings(f"weight is above 0 and at most 1000, found {self.weight!r}")

    @property
    def kind(self) -> Kind:
        """What is known."""
        if self.structure:
            return "structure"
        if self.clicks:
            return "clicks"
        if self.preferences:
            return "preferences"
        return "examples" if self.examples else "judgements"

    @property
    def label(self) -> str:
        """Its name, or one after its files."""
        if self.name:
            return self.name
        documents = Path(self.index or self.collection.removeprefix(HUB)).name
        if self.kind == "structure":
            return f"{documents} (structure)"
        if self.kind == "judgements":
            name = Path(self.collection.removeprefix(HUB)).name
            return f"{name}/{self.split}" if self.split else name
        return Path(self.clicks or self.preferences or self.examples).name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class ClickSettings:
    """How clicks become judgements (`reranker.data.clicks` explains it).

    Args:
        by: `rates` counts clicks over all that was shown; `sessions` keeps each list apart, and needs sessions.
        fit: Whether how much each rank is looked at is told from the log: from documents that were at several ranks.
        eta: Where it is not: a rank is looked at in proportion to itself to the power of minus this.
        examination: Or how much each is looked at, from the first, which is 1.
        clip: A click counts at most so many times what one at the first rank does.

    Raises:
        InvalidTrainingSettings: a value is outside its range, or two do not go together.
    """

    by: Literal["rates", "sessions"] = "rates"
    fit: bool = False
    eta: float = 1.0
    examination: tuple[float, ...] = ()
    clip: float = 20.0

    def __post_init__(self) -> None:
        if self.by not in ("rates", "sessions"):
            raise InvalidTrainingSettings(f"by is rates or sessions, found {self.by!r}")
        if self.fit and self.examination:
            raise InvalidTrainingSettings("fit and examination exclude each other; leave one out")
        try:
            self.curve()
        except TrainingDataError as error:
            raise InvalidTrainingSettings(str(error)) from error

    def curve(self) -> PositionCurve:
        """Return the curve that is given, whatever `fit` says."""
        return PositionCurve(self.examination, self.eta, self.clip)


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """Which queries are kept aside to measure on, where no data are given for that.

    Args:
        share: How many of all, from 0 (none) to less than 1.
        most: At most so many.
        candidates: How many passages of the first stage's list each query that is measured on is measured with, beside
            those that are judged; also of data that are given for it.
        seed: Of this choice, and of every other among queries.

    Raises:
        InvalidTrainingSettings: a value is outside its range.
    """

    share: float = 0.1
    most: int = 500
    candidates: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise InvalidTrainingSettings(f"share is from 0 to less than 1, found {self.share!r}")
        if isinstance(self.most, bool) or self.most < 1:
            raise InvalidTrainingSettings(f"most is a whole number of at least 1, found {self.most!r}")
        if isinstance(self.candidates, bool) or self.candidates < 1:
            raise InvalidTrainingSettings(
                f"candidates is a whole number of at least 1, found {self.candidates!r}"
            )


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """What was trained on before, to be mixed in so that it is not forgotten.

    Args:
        path: The folder of an earlier run, or a file of examples; empty for none.
        share: The share of old examples among those to train on, from 0 to less than 1.

    Raises:
        InvalidTrainingSettings: the share is outside its range.
    """

    path: str = ""
    share: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise InvalidTrainingSettings(f"share is from 0 to less than 1, found {self.share!r}")


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides a run.

    Args:
        data: To learn from.
        dev: To measure on while learning; none takes some queries of `data` for it, as `split` says.
        training: How it is trained.
        mining: How wrong answers are drawn.
        teacher: A reranker to mine with: `reranker.data.mine` says what it does; empty for none.
        structure: Which titles and headings become queries.
        clicks: How clicks become judgements.
        split: What is kept aside.
        replay: What was trained on before.
        indexing: How indexes of collections are made.
        search: How the first stage fuses, whose scores are the examples' priors.

    Raises:
        InvalidTrainingSettings: there are no data, or two settings do not go together.
    """

    data: tuple[DataSource, ...]
    dev: tuple[DataSource, ...] = ()
    training: TrainingSettings = field(default_factory=TrainingSettings)
    mining: MiningSettings = field(default_factory=MiningSettings)
    teacher: str = ""
    structure: StructureSettings = field(default_factory=StructureSettings)
    clicks: ClickSettings = field(default_factory=ClickSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    replay: ReplaySettings = field(default_factory=ReplaySettings)
    indexing: IndexingSettings = field(default_factory=IndexingSettings)
    search: SearchSettings = field(default_factory=SearchSettings)

    def __post_init__(self) -> None:
        if not self.data:
            raise InvalidTrainingSettings("no data are given: name at least one source to learn from")

    def to_json(self) -> dict[str, Any]:
        """Return the tables that `quire.training.read.recipe_of` reads."""
        tables: dict[str, Any] = {"teacher": self.teacher, "training": self.training.to_json()}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name in ("data", "dev"):
                tables[item.name] = [_source_table(source) for source in value]
            elif item.name == "mining":
                tables["mining"] = _mining_table(value)
            elif item.name not in tables:
                tables[item.name] = _table(asdict(value))
        return tables


def _source_table(source: DataSource) -> dict[str, Any]:
    values = {name: value for name, value in asdict(source).items() if value not in ("", None, False)}
    if source.mining:
        values["mining"] = _mining_table(source.mining)
    return values


def _mining_table(settings: MiningSettings) -> dict[str, Any]:
    values = asdict(settings)
    return _table(values.pop("guard") | values)


def _table(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as TOML has them."""
    return {
        name: NONE if value is None else list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
    }
