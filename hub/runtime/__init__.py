"""Hold what a hub process runs on: locks, periodic tasks, change notifications, the embedded broker, logs, metrics."""
