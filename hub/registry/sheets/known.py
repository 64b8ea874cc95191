"""Under which code somebody is held: the same words always lead to the same code, whatever their order in a file."""

from collections.abc import Iterable

from sqlmodel import Session, select

from hub.registry.personal_data.vault import Vault
from hub.registry.sheets.rows import Line
from hub.registry.snapshot import held_at
from hub.store.tables.registry import PersonRow


class KnownPeople:
    """Codes of people by the blind indexes of what is written of them."""

    def __init__(self) -> None:
        self._by_document: dict[str, str] = {}
        self._by_name_and_phone: dict[tuple[str, str], str] = {}
        self._bare: set[str] = set()

    def add(self, code: str, document: str | None, name: str | None, phone: str | None) -> None:
        """Somebody by their indexes. Of several with one name and phone the smallest code counts."""
        if document is not None:
            self._bare.discard(code)
            self._by_document[document] = min(code, self._by_document.get(document, code))
        else:
            self._bare.add(code)
        if name is not None and phone is not None:
            key = (name, phone)
            self._by_name_and_phone[key] = min(code, self._by_name_and_phone.get(key, code))

    def learn(self, vault: Vault, lines: Iterable[Line]) -> None:
        """Those of a file whom it names by document: another row may name them by phone alone."""
        for line in lines:
            if line.name and line.document and line.phone:
                code = self.code(vault, line.name, line.phone, line.document, line.unit)
                indexes = (vault.index("document", line.document), vault.index("name", line.name))
                self.add(code, *indexes, vault.index("phone", line.phone))

    def code(self, vault: Vault, name: str, phone: str, document: str, unit: str) -> str:
        """Somebody's code. Without document or phone, a namesake elsewhere is another.

        Who was entered without a document stays the same person when the document comes.
        """
        named = vault.index("name", name)
        by_unit = f"p-{vault.index('person', named + unit)[:20]}"
        by_phone, known = "", None
        if phone:
            index = vault.index("phone", phone)
            by_phone = f"p-{vault.index('person', named + index)[:20]}"
            known = self._by_name_and_phone.get((named, index))
        if document:
            index = vault.index("document", document)
            found = self._by_document.get(index)
            bare = next((code for code in (known, by_unit) if code in self._bare), None)
            return found or bare or f"p-{index[:20]}"
        if phone:
            return known or (by_unit if by_unit in self._bare else by_phone)
        return by_unit


def known_people(session: Session) -> KnownPeople:
    """Everybody whom the registry has, by what is written of them."""
    known = KnownPeople()
    query = select(PersonRow.code, PersonRow.document_index, PersonRow.name_index, PersonRow.phone_index)
    for code, document, name, phone in session.exec(query.where(held_at(PersonRow, None))):
        known.add(code, document, name, phone)
    return known
