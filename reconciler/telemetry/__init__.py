"""How the daemon is seen from outside: metrics, health, the webhook, logs and notifications. Nothing here decides."""
