"""Crash safety shown: the real reconciler on real git repositories and simulated members, through random schedules."""
