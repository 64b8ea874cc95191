"""Starts, watches and restarts the parts of the agent, so that none takes another down."""

from edge_agent.supervisor.agent import Agent

__all__ = ["Agent"]
