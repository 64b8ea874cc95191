"""One asyncio driver per transport: it owns the I/O, the retries and the health."""
