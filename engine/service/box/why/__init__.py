"""Why a document is where it is in a list, and why another one is not there."""
