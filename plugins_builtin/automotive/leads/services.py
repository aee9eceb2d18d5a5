"""What can be done with leads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kehu.api import (
    Conflict,
    Forbidden,
    InvalidInput,
    RecordService,
    _,
    clean,
    new_id,
    normal_email,
    normal_phone,
    readable,
    select,
)
from plugins_builtin.automotive.leads.adf import Car, as_dict
from plugins_builtin.automotive.leads.models import Lead, LeadMessage
from plugins_builtin.automotive.leads.normal import Person, car_key

MENDED = ("name", "email", "phone", "make", "model", "year", "comments")


class LeadService(RecordService[Lead]):
    """Keep leads; they come into being from messages alone."""

    type_name = "automotive.leads"

    def create_many(self, rows: Sequence[Mapping[str, Any]]) -> Any:
        """Refuse: a lead without a message could not be proved."""
        raise Forbidden(_("Leads come in by mail or by an address for leads; post the ADF document there."))

    def add(self, message: LeadMessage, place: int, values: Mapping[str, Any]) -> Lead:
        """Add the lead of one prospect of a message; the caller is the product itself."""
        self.actor.require("automotive.leads:write")
        lead = Lead(
            id=new_id(), tenant_id=self.tenant.id, version=1, message_id=message.id, position=place,
            received_at=message.received_at, created_by=self.actor.member_id, updated_by=self.actor.member_id,
            **values,
        )  # fmt: skip
        self.session.add(lead)
        self._flush()
        if lead.state == "quarantine":
            self._trail(lead, "created", {})
            self._index([lead], new=True)
        return lead

    def settled(self, lead: Lead) -> None:
        """Write the trail of a lead that has found its person and its deal."""
        self._flush()
        self._trail(lead, "created", {})
        self._index([lead], new=True)

    def saved(self, records: Sequence[Lead], action: str) -> None:
        """Hand deal and task on with their lead."""
        from plugins_builtin.automotive.leads.answering import hand_on

        if action != "updated":
            return
        for lead in records:
            if lead.deal_id is None or lead.state not in ("open", "contacted"):
                continue
            hand_on(self.session, lead)

    def undone(self, record: Lead, changes: Mapping[str, list[Any]]) -> None:
        """Let the clock run on when the answer that had stopped it is taken back, and let a lead wait again.

        :raises Conflict: when the lead has gone on since.
        """
        if "state" not in changes:
            return
        if changes["state"] == ["quarantine", "discarded"] and record.state == "discarded":
            self.take_back(record.id)
        elif changes["state"] == ["open", "contacted"] and record.state == "contacted":
            record.state, record.contacted_at, record.contacted_by = "open", None, None
            self._stamp(record)
            self._flush()
        elif changes["state"] == ["quarantine", record.state] and record.deal_id is not None:
            # Its deal went with the rest of what was undone.
            record.state, record.reason, record.deal_id, record.first_id = (
                "quarantine",
                "no_contact",
                None,
                None,
            )
            self._stamp(record)
            self._flush()
        else:
            raise Conflict(_("Somebody else has dealt with this lead meanwhile. Load it again."))

    def search_texts(self, record: Lead) -> Iterable[tuple[str, str]]:
        """Find a lead by name, car, and the number that its sender gave it."""
        yield "name", record.name
        if record.wanted_name:
            yield "text", record.wanted_name
        if record.provider_lead_id:
            yield "code", record.provider_lead_id

    def touches(self, lead: Lead) -> Sequence[Lead]:
        """Return the other leads of the same deal that the actor may see, the newest first."""
        if lead.deal_id is None:
            return []
        statement = (
            select(Lead)
            .where(Lead.deal_id == lead.deal_id, Lead.id != lead.id, readable(self.type_name))
            .order_by(Lead.received_at.desc())
            .limit(20)
        )
        return self.session.execute(statement).scalars().all()

    # Quarantine --------------------------------------------------------------------------

    def mend(self, lead_id: object, values: Mapping[str, str], *, version: int | None = None) -> Lead:
        """Complete a lead that could not be taken in, and take it in.

        :raises InvalidInput: names each field that is wrong.
        :raises Conflict: when somebody else has dealt with it.
        """
        from plugins_builtin.automotive.leads.answering import BY_HAND
        from plugins_builtin.automotive.leads.settling import settle

        lead = self._waiting(lead_id, ("quarantine",), version)
        person = self._person(lead, values)
        year = values.get("year", "").strip()
        make, model = (clean(values.get(key, ""))[:100] for key in ("make", "model"))
        wanted = Car(interest="buy", make=make, model=model, year=int(year) if year else None)
        if not wanted.empty:
            before = lead.wanted[0] if lead.wanted else {}
            lead.wanted = [{**before, **as_dict(wanted)}, *lead.wanted[1:]]
            lead.wanted_name, lead.car_key = wanted.name[:200], car_key(wanted)[:200]
        lead.name = person.name
        lead.comments = clean(values.get("comments", ""), lines=True)[:4000]
        lead.person = {
            **lead.person, "name": person.name, "emails": person.emails, "phones": person.phones
        }  # fmt: skip
        lead.repairs = [*lead.repairs, BY_HAND]
        settle(self.session, lead, person)
        self._close(lead, "quarantine")
        return lead

    def discard(self, lead_id: object, why: str, *, version: int | None = None) -> Lead:
        """Put a lead aside that is none; it can be taken back.

        :raises InvalidInput: without a reason.
        """
        lead = self._waiting(lead_id, ("quarantine",), version)
        why = clean(why)[:500]
        if not why:
            message = _("Say why it is discarded, for example: advertising.")
            raise InvalidInput(message, fields={"why": [message]})
        lead.facts = {**lead.facts, "_reason": lead.reason}
        lead.state, lead.reason = "discarded", why
        self._close(lead, "quarantine")
        return lead

    def take_back(self, lead_id: object) -> Lead:
        """Put a discarded lead back among those that wait."""
        lead = self._waiting(lead_id, ("discarded",), None)
        facts = dict(lead.facts)
        lead.state, lead.reason = "quarantine", facts.pop("_reason", "no_contact")
        lead.facts = facts
        self._close(lead, "discarded")
        return lead

    def _waiting(self, lead_id: object, states: tuple[str, ...], version: int | None) -> Lead:
        lead = self.get(lead_id, action="write", lock=True)
        if lead.state not in states or (version is not None and version != lead.version):
            raise Conflict(_("Somebody else has dealt with this lead meanwhile. Load it again."))
        return lead

    def _close(self, lead: Lead, before: str) -> None:
        self._stamp(lead)
        self._flush()
        self._trail(lead, "updated", {"state": [before, lead.state]})
        self._index([lead])

    def _person(self, lead: Lead, values: Mapping[str, str]) -> Person:
        errors: dict[str, list[str]] = {}
        kept: dict[str, Any] = dict(lead.person)
        person = Person(
            name=clean(values.get("name", ""))[:200],
            firm=kept.get("firm", ""),
            address=dict(kept.get("address") or {}),
        )
        if not person.name:
            errors["name"] = [_("Say who asked; what is known will do, for example the number.")]
        email, phone = clean(values.get("email", "")), clean(values.get("phone", ""))
        if email and ("@" not in email or "." not in email.rpartition("@")[2] or " " in email):
            errors["email"] = [_("Write the address as name@example.com.")]
        elif email:
            person.emails = [normal_email(email)]
        if phone:
            try:
                person.phones = [{"number": normal_phone(phone, self.tenant.country), "label": ""}]
            except InvalidInput as error:
                errors["phone"] = [error.message]
        if not email and not phone:
            errors["phone"] = [_("Write a number or a mail address, so that somebody can answer.")]
        year = values.get("year", "").strip()
        if year and not (re.fullmatch(r"[0-9]{4}", year) and 1900 <= int(year) <= 2100):
            errors["year"] = [_("Write the year with four digits.")]
        if errors:
            raise InvalidInput(_("Some fields need another value."), fields=errors)
        return person


__all__ = ["MENDED", "LeadService"]
