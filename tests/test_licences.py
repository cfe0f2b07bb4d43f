"""docs/licences.md: the licence of every package that the default environment installs, and none under the GPL."""

import re
import runpy
from email.message import Message

from coldbond.bundle import paths

PAGE = runpy.run_path(str(paths.ROOT / "scripts" / "licences_page.py"))
LOCKED, HERE, WRITTEN = PAGE["locked"](), PAGE["installed"](), PAGE["written"]()


def test_every_locked_package_has_its_licence_on_the_page():
    assert list(WRITTEN) == LOCKED


def test_no_package_is_under_the_gpl():
    """Neither by the page nor, where another Python has other versions, by what is installed here."""
    for licences in (WRITTEN, {name: HERE[name] for name in LOCKED if name in HERE}):
        under_gpl = {name for name, text in licences.items() if re.search(r"\bA?GPL|GNU (Affero )?General", text)}
        assert under_gpl == {*PAGE["STATED_AS_TEXT"]}  # of which the page says more


def test_an_expression_counts_before_classifiers_and_text():
    stated = Message()
    stated["Name"], stated["License"] = "one", "Copyright (c) 2025\nPermission is granted"
    assert PAGE["licence"](stated) == "Copyright (c) 2025"
    stated["Classifier"] = "License :: OSI Approved :: MIT License"
    assert PAGE["licence"](stated) == "MIT License"
    stated["License-Expression"] = "MIT OR Apache-2.0"
    assert PAGE["licence"](stated) == "MIT OR Apache-2.0"
