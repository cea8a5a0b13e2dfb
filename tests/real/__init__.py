"""The real fleet: two real clusters, S3 and Velero as plain processes; only a real Velero tells what Velero does.

Called by the tests marked `real` (through `fixtures.py`) and by people (`python -m tests.real`).
"""
