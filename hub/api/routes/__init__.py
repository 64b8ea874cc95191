"""The routes of the API, a module for each noun. Each decodes, calls a service, encodes."""

from fastapi import APIRouter

from hub.api.routes import (
    alerts,
    audit,
    authorities,
    desk,
    devices,
    gateways,
    home,
    notify,
    policies,
    registry,
    replays,
    reports,
    requests,
    retention,
    session,
    tenancies,
    units,
    users,
)

ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    alerts.router,
    desk.router,
    units.router,
    tenancies.router,
    registry.router,
    requests.router,
    policies.router,
    replays.router,
    notify.router,
    home.router,
    gateways.router,
    devices.router,
    reports.router,
    users.router,
    audit.router,
    authorities.router,
    retention.router,
)
"""Every router; a test holds that each route in them declares its policy."""
