"""The search page: from what a URL asks for to a list of hits, and what stands around it."""
