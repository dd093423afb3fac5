"""The embedded index: SQLite holds the truth, tantivy and HNSW are derived from it.

    PATH/
      manifest.json            the current generation: which files make it up, with their checksums
      writer.lock              held by the one writer
      epoch-N/
        truth.sqlite           documents, texts, passages, vectors, metadata fields, words   (truth.py)
        lexical/               tantivy, the writer's own                                     (lexical.py)
        lexical-G/             the same as of generation G, hard links, what readers open
        vectors.f32            row i is the vector of passage i, append only                 (vectors.py)
        graph-R.hnsw           HNSW over rows 0..R-1; later rows are searched exactly        (graph.py)

A commit goes SQLite first (from then on it is acknowledged), then tantivy, vectors, graph, and last the
manifest, replaced atomically. A crash in between leaves the manifest behind SQLite; the next one to open
the index rolls the derived files forward (derive.py). Rows of SQLite carry the generation that added and
the one that removed them, so a reader of an older generation still finds what it saw, until `compact`
writes a new epoch.
"""
