"""What may be done with surveys; who reads one sees its answers."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import register_record

register_record("surveys", _l("surveys"))
register_record("survey_questions", _l("questions of surveys"))
