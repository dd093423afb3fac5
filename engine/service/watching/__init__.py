"""What an operator sees: logs, metrics, traces, health. Nothing that says who searched for what.

`watch` puts all of it around an application.
"""
