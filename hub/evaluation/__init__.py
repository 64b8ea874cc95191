"""Run the rules: follow stored events, keep what was observed, hand findings to the alerts."""
