"""The simulation itself: what it does beyond what `tests/behaviour` compares with real members."""
