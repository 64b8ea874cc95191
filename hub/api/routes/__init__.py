"""The routes of the API, a module for each noun. Each decodes, calls a service, encodes."""

from fastapi import APIRouter

from hub.api.routes import alerts, audit, devices, gateways, session, units, users

ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    alerts.router,
    units.router,
    gateways.router,
    devices.router,
    users.router,
    audit.router,
)
"""Every router; a test holds that each route in them declares its policy."""
