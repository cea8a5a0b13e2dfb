"""What people and machines read: tables, progress, reports. The only door to `rich`."""
