"""Subcommands of anfang-sim; each module exports `command`, or `app` for a group."""
