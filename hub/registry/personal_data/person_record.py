"""Builds a person's record from plain words: checked, sealed, indexed, masked."""

from dataclasses import dataclass
from datetime import date

from hub.registry.personal_data.identity import (
    Document,
    clean_name,
    clean_phone,
    is_minor,
    mask_document,
    mask_name,
    mask_phone,
)
from hub.registry.personal_data.vault import Vault
from hub.store.base import from_ms
from hub.store.tables.registry import PersonRow


@dataclass(frozen=True, slots=True)
class PersonWords:
    """What somebody wrote about a person. `document` is already checked."""

    code: str
    name: str
    phone: str | None = None
    document: Document | None = None
    hukou: str = ""
    born_on: date | None = None
    verified_on: date | None = None
    verified_by: str = ""


def person_row(words: PersonWords, vault: Vault, today: date) -> PersonRow:
    """The record. Raises ValueError that says what is wrong with the name or the phone."""
    name = clean_name(words.name)
    phone = clean_phone(words.phone) if words.phone else None
    born_on = words.document.born_on if words.document and words.document.born_on else words.born_on
    return PersonRow(
        code=words.code,
        # Set when the version is written.
        known_from=from_ms(0),
        name_sealed=vault.seal("name", name),
        name_index=vault.index("name", name),
        name_mask=mask_name(name),
        phone_sealed=vault.seal("phone", phone) if phone else None,
        phone_index=vault.index("phone", phone) if phone else None,
        phone_mask=mask_phone(phone) if phone else "",
        document_type=words.document.type if words.document else "",
        document_sealed=vault.seal("document", words.document.number) if words.document else None,
        document_index=vault.index("document", words.document.number) if words.document else None,
        document_mask=mask_document(words.document.number) if words.document else "",
        document_valid=words.document.is_valid if words.document else None,
        identity_verified_on=words.verified_on,
        identity_verified_by=words.verified_by,
        hukou_region=words.hukou,
        born_on=born_on if born_on is not None and is_minor(born_on, today) else None,
    )
