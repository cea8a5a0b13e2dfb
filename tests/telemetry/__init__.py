"""Metrics, health, webhook, logs and notifications: over real HTTP on the loopback, and real threads."""
