"""anfang-agent."""
