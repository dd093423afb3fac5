"""Which of these pipelines is better, on all of these collections? One file asks; one folder holds the answer.

- `read.read_experiment` reads the file: a `definition.Experiment` of collections, pipelines, measures.
- `runner.run_experiment` runs every cell that has not been run before, and returns a `result.ExperimentResult`.

A `pipeline.Pipeline` is a way to answer topics; `pipelines` holds the kinds that there are. `cache` says what is
kept, `fingerprint` under which name. Importing the package imports none of this.
"""
