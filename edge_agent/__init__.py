"""Everything that runs on the gateway box in a rental building."""
