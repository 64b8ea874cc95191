"""Keep alerts through their life: open, join evidence, clear, acknowledge, assign, escalate, resolve."""
