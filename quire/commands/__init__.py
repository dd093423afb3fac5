"""The commands of `quire`, one module each or a few that belong together; imported when run."""
