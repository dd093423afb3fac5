"""The pages around a document: read it, what is like it, what it says in short."""
