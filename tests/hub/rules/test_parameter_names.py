"""Every parameter of every rule has a name for readers, in both languages of the pages."""

import re
from pathlib import Path

import pytest

from hub.rules.catalogue import PARAMETERS

I18N = Path(__file__).parents[3] / "hub" / "web" / "src" / "i18n"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_parameter_has_a_name(language: str) -> None:
    named = set(re.findall(r"^  (\w+):", (I18N / language / "parameters.ts").read_text(encoding="utf-8"), re.MULTILINE))
    used = {name for kind in PARAMETERS.values() for name in kind.__struct_fields__}
    assert used <= named, used - named
