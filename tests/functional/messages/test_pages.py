"""Settings, Messages; the API; replies of tickets and plugins at the gate."""

from typing import Any

import pytest

from kehu.addons.services import PluginService
from kehu.consent.gate import Outgoing, check_send
from kehu.consent.rules import rules_of
from kehu.core import clock, db, delivery, hooks
from kehu.core.errors import Conflict
from kehu.core.records.service import service_for
from kehu.messages import texts
from kehu.messages.services import Letter, MessageService
from kehu.testkit.fixtures import Shop
from kehu.tickets.conversation import ConversationService
from kehu.tickets.tasks import send_reply
from plugins.declarations import Declarations
from plugins.rules import hookimpl
from plugins.sending import MessageTemplate, MessageText, Refusal
from tests.functional.attacks.test_review_rights import set_rights

PAGE = "/settings/messages"
KEY = "kehu.ask_consent"
RULES = {
    "hours": "9-18",
    "cap": "3",
    "cap_days": "10",
    "household_cap": "1",
    "household_days": "7",
    "unasked": "post",
    "sender_name": "",
    "reply_to": "office@example.com",
    "imprint": "Harbour & Co\n1 Quay",
}


def anna(shop, **values):
    with shop.work() as session:
        return (
            service_for("contacts", session)
            .create({"name": "Anna", "emails": "anna@example.com", **values})
            .id
        )


def test_rules_are_set_and_taken_back(shop):
    client = shop.client()
    text = client.get(PAGE).get_data(as_text=True)
    assert "08:00–20:00" in text
    assert f"{PAGE}/texts/{KEY}" in text
    assert client.post(f"{PAGE}/rules", data=RULES).status_code == 303
    with shop.work() as session:
        rules = rules_of(session)
        assert (rules.hours, rules.cap, rules.unasked, rules.reply_to) == (
            "09:00–18:00",
            3,
            "post",
            "office@example.com",
        )
    answer = client.post(
        f"{PAGE}/rules", data={**RULES, "cap": "0", "hours": "late", "reply_to": "nobody", "version": "1"}
    )
    assert answer.status_code == 422
    assert 'value="late"' in answer.get_data(as_text=True)
    assert client.post(f"{PAGE}/rules", data={**RULES, "cap": "4", "version": "7"}).status_code == 409
    assert shop.client(shop.member("manager")).get(PAGE).status_code == 403


def test_texts_are_changed_tried_out_and_put_back(shop, monkeypatch):
    mails: list[Any] = []
    monkeypatch.setattr(delivery, "send", mails.append)
    client, url = shop.client(), f"{PAGE}/texts/{KEY}"
    assert "May we send you news, Anna Lindqvist?" in client.get(url).get_data(as_text=True)
    assert "Можно присылать вам новости" in client.get(f"{url}?locale=ru").get_data(as_text=True)
    words = {"subject": "Dear {name}", "body": "Say yes: {link}"}
    tried = client.post(url, data={**words, "act": "test", "locale": "en"})
    assert "Dear {name}" in tried.get_data(as_text=True)
    assert (mails[0]["Subject"], mails[0]["To"]) == ("Dear Anna Lindqvist", shop.owner.email)
    assert client.post(url, data={**words, "locale": "en"}).status_code == 303
    with shop.work() as session:
        assert texts.text_of(session, texts.template(KEY), "en").subject == "Dear {name}"
        assert texts.text_of(session, texts.template(KEY), "ru").subject != "Dear {name}"
    wrong = client.post(url, data={"subject": "{nmae}", "body": "Kept", "locale": "en"})
    assert wrong.status_code == 422
    assert "Kept" in wrong.get_data(as_text=True)
    assert "{nmae}" in wrong.get_data(as_text=True)
    assert client.post(url, data={"act": "usual", "locale": "en"}).status_code == 303
    assert "May we send you news" in client.get(url).get_data(as_text=True)
    assert client.get(f"{PAGE}/texts/no.such").status_code == 404


def test_asking_for_consent_and_the_log(shop, other_shop):
    contact, client = anna(shop), shop.client()
    assert client.post(f"/messages/contacts/{contact}/ask").status_code == 204
    stopped = anna(shop, name="Ben", do_not_contact="all")
    assert client.post(f"/messages/contacts/{stopped}/ask").status_code == 409
    assert client.post(f"/messages/deals/{contact}/ask").status_code == 404
    assert other_shop.client().post(f"/messages/contacts/{contact}/ask").status_code == 404
    with shop.work() as session:
        refused = MessageService(session).send(Letter(template=KEY, contact_id=stopped))
        assert refused.state == "refused"
    log = client.get(f"{PAGE}/log?state=refused").get_data(as_text=True)
    assert "Ben is marked “Do not contact”." in log
    assert ">Anna<" not in log
    assert client.post(f"{PAGE}/log/{refused.id}/retry").status_code == 303
    assert client.post(f"{PAGE}/log/{refused.id}/retry").status_code == 409
    assert "Ben" not in other_shop.client().get(f"{PAGE}/log").get_data(as_text=True)


def test_programs_send_and_read_messages(shop):
    contact, client = anna(shop), shop.client()
    headers = {"Authorization": f"Bearer {shop.token()}"}
    url = f"/api/v1/contacts/{contact}/messages"
    made = client.post(url, json={"template": KEY, "once": "a"}, headers=headers)
    assert (made.status_code, made.json["state"], made.json["address"]) == (201, "queued", "anna@example.com")
    again = client.post(url, json={"template": KEY, "once": "a"}, headers=headers)
    assert again.json["id"] == made.json["id"]
    assert (
        client.get(made.headers["Location"], headers=headers).json["subject"] == "May we send you news, Anna?"
    )
    client.post(url, json={"template": KEY}, headers=headers)
    first = client.get(f"{url}?limit=1", headers=headers).json
    assert len(first["data"]) == 1
    assert client.get(f"{url}?after={first['next']}", headers=headers).json["next"] is None
    for body in ({}, {"template": KEY, "data": {"x": 1}}, {"template": KEY, "extra": 1}):
        assert client.post(url, json=body, headers=headers).status_code == 422
    assert client.post(url, json={"template": "no.such"}, headers=headers).status_code == 404
    assert (
        client.post("/api/v1/customers/x/messages", json={"template": KEY}, headers=headers).status_code
        == 404
    )
    assert client.get(f"{url}?after=x", headers=headers).status_code == 422
    reader = {"Authorization": f"Bearer {shop.token(['*:read'])}"}
    assert client.post(url, json={"template": KEY}, headers=reader).status_code == 403


def test_a_word_tells_nothing_of_whom_it_went_to(shop):
    contact, member = anna(shop), shop.member("member")
    set_rights(shop, "member", contacts__read="own", contacts__write="own", messages__send="all")
    with shop.work(member) as session:
        mine = service_for("contacts", session).create({"name": "Mine", "emails": ["mine@example.com"]}).id
    owner = {"Authorization": f"Bearer {shop.token()}"}
    body = {"template": KEY, "once": "welcome"}
    assert (
        shop.client().post(f"/api/v1/contacts/{contact}/messages", json=body, headers=owner).status_code
        == 201
    )
    token = {"Authorization": f"Bearer {shop.token(actor=member)}"}
    answer = shop.client().post(f"/api/v1/contacts/{mine}/messages", json=body, headers=token)
    assert answer.status_code == 409
    assert "anna" not in answer.get_data(as_text=True).lower()


def test_a_reply_to_a_ticket_passes_the_gate(shop, monkeypatch):
    monkeypatch.setattr(delivery, "send", lambda _mail: pytest.fail("sent"))
    contact = anna(shop)
    with shop.work() as session:
        values = {"subject": "Late", "contact_id": str(contact)}
        ticket = service_for("tickets", session).create(values).id
        reply = ConversationService(session).reply(ticket, "Sorry").id
    with shop.work() as session:
        service_for("contacts", session).update(contact, {"do_not_contact": "all"})
    send_reply(str(shop.tenant.id), message_id=str(reply))
    with shop.work() as session:
        talk = ConversationService(session)
        kept = talk.message(talk.tickets.get(ticket), reply)
        assert (kept.delivery, kept.delivery_error) == ("failed", "Anna is marked “Do not contact”.")
        with pytest.raises(Conflict, match="your text is kept"):
            talk.reply(ticket, "Once more")


class Guard:
    """A plugin that has a word to say."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.asked: list[Any] = []

    @hookimpl
    def kehu_check_send(self, ctx: Any, message: Any) -> Any:
        """Note the message and answer, or fail."""
        self.asked.append((ctx.plugin, message.purpose, message.template))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def guard(shop):
    """The built-in plugin, guarding messages for the length of a test; and the firm with it on."""
    made, relay = Guard(), hooks.host().relay
    manager, kept = relay._manager, relay._manager.get_plugin("automotive")
    with shop.work() as session:
        PluginService(session).enable("automotive")
        tenant = hooks.tenant_by_id(shop.tenant.id)
    manager.unregister(name="automotive")
    manager.register(made, name="automotive")
    relay.forget()
    yield made, Shop(app=shop.app, tenant=tenant, owner=shop.owner)
    manager.unregister(name="automotive")
    manager.register(kept, name="automotive")
    relay.forget()


def test_a_plugin_holds_a_message_back(guard, other_shop, monkeypatch):
    plugin, shop = guard
    contact = anna(shop)
    message = Outgoing(purpose="transactional", template="a.b", contact_id=contact)
    with shop.work() as session:
        assert check_send(session, message) is None
        assert plugin.asked == [("automotive", "transactional", "a.b")]
        plugin.answer = Refusal(code="open_complaint", reason="There is an open complaint.")
        assert check_send(session, message).code == "open_complaint"
        monkeypatch.setattr(hooks.host().relay, "strict", False)
        plugin.answer = ValueError("no")
        held = check_send(session, message)
        assert (held.code, held.until > clock.now()) == ("guard_failed", True)
    elsewhere = anna(other_shop)
    with other_shop.work() as session:
        assert check_send(session, Outgoing(purpose="transactional", contact_id=elsewhere)) is None


def test_messages_of_a_plugin_are_there_while_it_is_on(guard, monkeypatch):
    _plugin, shop = guard
    offer = MessageTemplate(
        key="automotive.offer",
        label="Offer",
        purpose="marketing",
        texts={"en": MessageText(subject="s", body="b")},
    )
    declared = hooks.host().declarations
    monkeypatch.setattr(declared, "messages", [*Declarations().messages, ("automotive", offer)])
    with shop.work():
        assert offer in texts.templates()
        PluginService(db.session()).disable("automotive")
    with Shop(app=shop.app, tenant=fresh(shop), owner=shop.owner).work():
        assert offer not in texts.templates()


def fresh(shop):
    with shop.work():
        return hooks.tenant_by_id(shop.tenant.id)
