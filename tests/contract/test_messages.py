"""Every text that users see stands in all four languages, with its placeholders."""

import re

import pytest
from babel.messages.pofile import read_po

from kehu.dev import messages

PLACEHOLDER = re.compile(r"%\(\w+\)s")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("messages") / "messages.pot"
    messages.extract(path)
    with path.open("rb") as file:
        return [message for message in read_po(file) if message.id]


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_nothing_is_untranslated(template, language):
    with (messages.LOCALE / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    missing = []
    for message in template:
        found = catalogue.get(message.id)
        texts = (
            found.string
            if found is not None and isinstance(found.string, tuple)
            else [found.string if found else ""]
        )
        if found is None or found.fuzzy or not all(texts):
            missing.append(message.id)
    assert not missing, (
        f"{len(missing)} texts lack {language}; run `make messages` and complete the catalogue: {missing[:20]}"
    )


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_placeholders_are_kept(template, language):
    with (messages.LOCALE / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    for message in template:
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        wanted = {name for one in ids for name in PLACEHOLDER.findall(one)}
        found = catalogue.get(message.id)
        assert found is not None
        texts = found.string if isinstance(found.string, tuple) else (found.string,)
        for text in texts:
            extra = set(PLACEHOLDER.findall(text)) - wanted
            lost = wanted - set(PLACEHOLDER.findall(text)) - ({"%(num)s"} if len(ids) > 1 else set())
            assert not extra, (message.id, text)
            assert not lost, (message.id, text)
