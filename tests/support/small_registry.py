"""A small registry for tests of the API."""

from hub.registry.personal_data.vault import load_vault
from hub.registry.yaml_import.seed_file import load_text
from support.api import Hub

REGISTRY = """
registry: 1
buildings: [{code: B1, name: 一号楼}]
people: [{code: p0, name: 王五}]
units:
  - {code: B1-101, building: B1, let_as: whole, vacant: true, owner: p0}
  - {code: B1-102, building: B1, let_as: rooms, rooms: [{name: 主卧}, {name: 次卧}]}
"""


def seed(hub: Hub, text: str = REGISTRY) -> None:
    """Bring YAML into the registry of a running API."""
    vault = load_vault(hub.services.data_dir)
    with hub.database.write() as session:
        load_text(session, text, "seed", vault=vault, organisation_key=b"k" * 32, now=hub.clock.now())
