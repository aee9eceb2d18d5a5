"""Counts are written with the separators of the reader's language."""

from __future__ import annotations

import pytest
from flask import render_template_string

from kehu.core.i18n import _n


@pytest.mark.parametrize(
    ("language", "text"), [("en", "2,089 open deals"), ("ru", "2\u00a0089 открытых сделок")]
)
def test_counts_have_separators(app, language, text):
    from flask_babel import force_locale

    with app.test_request_context("/"), force_locale(language):
        one, many = "%(num)s open deal", "%(num)s open deals"
        assert _n(one, many, 2089) == text
        drawn = "{{ ngettext('%(num)s open deal', '%(num)s open deals', 2089) }} {{ 999|whole }}"
        assert render_template_string(drawn) == f"{text} 999"
