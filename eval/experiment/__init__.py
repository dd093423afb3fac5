"""Which of these pipelines is better, on all of these collections? One file asks; one folder holds the answer.

- `read_experiment` reads the file: an `Experiment` of collections, pipelines, measures.
- `run_experiment` runs every cell that has not been run before, and returns an `ExperimentResult`.

A `Pipeline` is a way to answer topics; `pipelines` holds the kinds that there are. `cache` says what is kept,
`fingerprint` under which name.
"""
