"""What does a setting buy? Quality, agreement with an exhaustive search, and latency, one setting after another.

    settings = sweep(index, "depth", [25, 50, 100, 200, 400])
    curve = measure(settings, collection.topics, collection.judgements, measures, name=collection.name)
    chart(curve).save("depth.svg")

Three roles. `sweep` makes a search engine for each value, and an exhaustive one beside it where that is something else.
`measure` asks them all the same, in turns, and knows no setting. `chart` draws a `Curve` and measures nothing.
"""

from eval.curves.curve import Curve, Point
from eval.curves.draw import chart
from eval.curves.measure import measure
from eval.curves.sweep import Sweep, sweep, sweep_indexes

__all__ = ["Curve", "Point", "Sweep", "chart", "measure", "sweep", "sweep_indexes"]
