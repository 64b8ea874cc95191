"""The subcommands of `anfang-agent`, one module each.

A module `edge_agent/commands/NAME.py` becomes `anfang-agent NAME` (an underscore becomes a dash) by being there. It has
either `command`, a function with typer annotations (`anfang-agent count VIDEO …`), or `app`, a `typer.Typer` with
several commands (`anfang-agent camera test …`). The docstring is the help.

It is imported only when it is called or when help is asked for, and still imports what is heavy (numpy, PyAV,
ONNX Runtime) inside its functions, so that `anfang-agent --help` stays quick and `run` stays small.

Errors: raise `ConfigError` (exit 78) or another `AgentError` (exit 1); `edge_agent.cli.main` prints one line for each.
"""
