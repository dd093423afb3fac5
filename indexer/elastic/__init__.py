"""An index on an Elasticsearch cluster: the same calls, filters and answers as the index in a folder.

`address` says where, `settings` how; `wire.connection.Cluster` is the one way of asking the server anything.
Importing this package loads nothing: the client `elasticsearch` comes with the extra `quire-search[elasticsearch]`
and is imported when the first request is made.
"""
