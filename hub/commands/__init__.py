"""Subcommands of anfang-hub; each module exports one."""
