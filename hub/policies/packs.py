"""Reads rule packs from files: those that come with Anfang, and those that an organisation adds."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from hub.errors import ConfigError
from hub.rules.catalogue import PARAMETERS
from hub.rules.lifecycle_policy import ALERTS, LifecyclePolicy
from hub.rules.policy import Pack, PackSet, Parameters, parse_pack

FOLDER: Final = Path(__file__).parent.parent / "rules" / "packs"
KINDS: Final[dict[str, type[Parameters]]] = {**PARAMETERS, ALERTS: LifecyclePolicy}


def read_pack(path: Path) -> Pack:
    """The pack in a file. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    return parse_pack(text, str(path))


@cache
def standard_packs() -> PackSet:
    """The packs that come with Anfang. Raises ConfigError."""
    return packs_with(())


def packs_with(extra: tuple[Path, ...]) -> PackSet:
    """The packs that come with Anfang, and those in these files; one of the same name replaces ours."""
    return packs_of([read_pack(path) for path in extra])


def packs_of(extra: Iterable[Pack]) -> PackSet:
    """The packs that come with Anfang, and these; one of the same name replaces ours. Raises ConfigError."""
    packs = {pack.id: pack for pack in map(read_pack, sorted(FOLDER.glob("*.yaml")))}
    packs |= {pack.id: pack for pack in extra}
    found = PackSet(list(packs.values()), KINDS)
    # Every rule has its numbers everywhere, or the hub does not start.
    found.policy("", "unknown")
    return found
