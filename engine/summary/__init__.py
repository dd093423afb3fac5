"""What is in this document, in a few of its own sentences and phrases?

- `Summariser.summarise` takes the sentences whose combined vector is nearest to the document's, the query's, or
  either leaned to a reader: `greedy` has the formula, `candidates` says what may be taken.
- `Summariser.keyphrases` names one document, or several together, by phrases of their text; `keyphrases` does it
  without an encoder.
"""

from engine.summary.naming import Keyphrase, keyphrases
from engine.summary.summariser import TILT, Summariser
from engine.summary.summary import DEFAULT_LENGTH, Summary, SummarySentence

__all__ = [
    "DEFAULT_LENGTH",
    "TILT",
    "Keyphrase",
    "Summariser",
    "Summary",
    "SummarySentence",
    "keyphrases",
]
