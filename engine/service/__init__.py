"""The search service: an HTTP API under /v1, and a search box for the browser, over one index.

    quire serve my-index

Nothing here is imported by the rest of the engine. `settings` needs nothing; everything else needs the extra
`quire-search[service]`. Begin with `service.py` (what one process holds) and `app.py` (how requests reach it).
"""
