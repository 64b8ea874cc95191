"""The hub's settings: from `hub.toml`, then from the command line. Every key known, every error with place and mend."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from hub.errors import ConfigError


class Section(BaseModel):
    """A table of the file. A typo is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSection(Section):
    """Where the API and the pages are served."""

    listen: Annotated[
        str, Field(pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$", description="address:port; behind a TLS proxy")
    ] = "127.0.0.1:8080"


class MqttSection(Section):
    """The broker between the gateways and this hub."""

    url: Annotated[str, Field(pattern=r"^mqtts?://[^/]+$", description="mqtt://host:1883 or mqtts://host:8883")] = (
        "mqtt://127.0.0.1:1883"
    )
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    version: Annotated[
        Literal["auto", "5", "3.1.1"], Field(description="auto: 5, and 3.1.1 where the broker refuses it")
    ] = "auto"
    share: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$", description="hubs of one share divide the events")
    ] = "hub"


class DatabaseSection(Section):
    """Where everything is kept."""

    url: Annotated[str | None, Field(description="postgresql://…; SQLite in the data folder without it")] = None


class IngestSection(Section):
    """How events are taken in."""

    workers: Annotated[int, Field(ge=1, le=16, description="sessions with the broker; more than one needs MQTT 5")] = 1
    accept_unknown_gateways: Annotated[
        bool, Field(description="false in production: only enrolled gateways are taken in, others are answered so")
    ] = True


class RulesSection(Section):
    """How often the rules that time alone triggers are looked at."""

    tick_s: Annotated[float, Field(gt=0, le=60)] = 5.0


class LogSection(Section):
    """What is told on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Annotated[Literal["auto", "console", "json"], Field(description="auto: console on a terminal")] = "auto"


class HubConfig(Section):
    """The whole file. Each table may be left out."""

    http: HttpSection = HttpSection()
    mqtt: MqttSection = MqttSection()
    database: DatabaseSection = DatabaseSection()
    ingest: IngestSection = IngestSection()
    rules: RulesSection = RulesSection()
    log: LogSection = LogSection()


def load_config(path: Path | None, overrides: dict[str, dict[str, str]]) -> HubConfig:
    """The settings of the file at `path` (None: defaults), with `overrides` (table -> key -> value) over them.

    Raises ConfigError that names the file, the key and the mend.
    """
    data: dict[str, object] = {}
    where = "command line"
    if path is not None:
        where = str(path)
        try:
            data = dict(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; give a file that can be read") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: {error}; mend the TOML there") from error
    for table, values in overrides.items():
        found = data.get(table, {})
        data[table] = {**found, **values} if isinstance(found, dict) else found
    try:
        return HubConfig.model_validate(data)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in fault["loc"])
        raise ConfigError(f"{where}: {key}: {_what(fault)}") from error


def _what(fault: ErrorDetails) -> str:
    """What is wrong with a setting, and the mend."""
    if fault["type"] == "extra_forbidden":
        return "there is no such setting; remove it or mend its spelling"
    table, key = (*map(str, fault["loc"]), "")[:2]
    section = HubConfig.model_fields[table].annotation if table in HubConfig.model_fields else None
    if fault["type"] == "string_pattern_mismatch" and isinstance(section, type) and issubclass(section, Section):
        return f"not understood; write {section.model_fields[key].description or 'it as docs/reference/hub.md says'}"
    return f"{fault['msg']}; see docs/reference/hub.md"


def split_address(listen: str) -> tuple[str, int]:
    """`address:port` in two parts; brackets of IPv6 removed. Raises ConfigError for a port that there is not."""
    host, _, port = listen.rpartition(":")
    if int(port) > 65_535:
        raise ConfigError(f"--http {listen}: ports end at 65535")
    return host.strip("[]"), int(port)
