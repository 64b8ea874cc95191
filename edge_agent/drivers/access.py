"""The list of credentials that may open a door with no hub: references only, never numbers."""

from pathlib import Path

import structlog

log = structlog.get_logger()


class AccessList:
    """`hmac:…` references in a file, one a line; read again when the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._refs: frozenset[str] = frozenset()

    def has(self, ref: str) -> bool:
        """Whether the credential may open. A file that cannot be read opens for nobody."""
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                lines = self._path.read_text(encoding="utf-8").splitlines()
                self._refs = frozenset(line.strip() for line in lines if line.strip().startswith("hmac:"))
                self._stamp = stamp
        except (OSError, UnicodeDecodeError) as error:
            log.error("access_list.unreadable", path=str(self._path), error=str(error))
            self._refs, self._stamp = frozenset(), None
        return ref in self._refs
