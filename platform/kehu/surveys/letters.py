"""The invitation and the one reminder, in words that each firm may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from kehu.core import db
from kehu.core.i18n import _l
from kehu.core.ids import parse_id
from kehu.messages.texts import Translated, register_template
from kehu.surveys import links
from kehu.surveys.models import Survey, SurveyInvitation
from plugins.sending import MessageTemplate, Place


def _link(_ctx: Any, message: Any) -> Mapping[str, str] | None:
    """Return the link, or None when nobody waits for the answer any more."""
    statement = (
        select(SurveyInvitation.id)
        .join(
            Survey,
            (Survey.tenant_id == SurveyInvitation.tenant_id) & (Survey.id == SurveyInvitation.survey_id),
        )
        .where(
            SurveyInvitation.id == parse_id(message.data.get("invitation")),
            SurveyInvitation.state == "invited",
            Survey.state == "open",
            Survey.deleted_at.is_(None),
        )
    )
    found = db.session().execute(statement).scalar()
    return {"link": links.url(found)} if found is not None else None


_PLACES = (
    Place(name="survey", label=_l("Name of the survey"), example="Your last visit"),
    Place(name="intro", label=_l("Words before the questions"), example="It takes two minutes."),
    Place(
        name="link",
        label=_l("Page on which the person answers"),
        example="https://example.com/s/…",
        secret=True,
    ),
)

INVITATION = register_template(
    MessageTemplate(
        key="kehu.survey",
        label=_l("Invitation to a survey"),
        purpose="survey",
        texts=Translated(
            _l("{survey}: how was it, {name}?"),
            _l("Hello {name},\n\n{intro}\n\nPlease answer here, without signing in:\n{link}\n\n{firm}"),
        ),
        places=_PLACES,
        secrets=_link,
    )
)

REMINDER = register_template(
    MessageTemplate(
        key="kehu.survey_reminder",
        label=_l("Reminder of a survey"),
        purpose="survey",
        texts=Translated(
            _l("{survey}: we would still like to hear from you, {name}"),
            _l(
                "Hello {name},\n\nyou have not answered yet. We ask only this once more:\n{link}\n\n"
                "Thank you,\n{firm}"
            ),
        ),
        places=_PLACES,
        secrets=_link,
    )
)
