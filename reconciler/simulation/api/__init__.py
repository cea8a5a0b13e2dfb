"""The API server of one simulated member: its objects in `store`, its answers in `rest`; nothing here knows of HTTP.

What it knows of kinds is read from `definitions/`, written by `tests/simulation/definitions.py` from a real API server.
"""
