"""Device peers on ptys, sockets and brokers."""
