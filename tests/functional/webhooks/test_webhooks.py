"""Webhooks from the form to a real server: signed, tried again, sent again, kept within the firm."""

import dataclasses
import datetime as dt
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select, text

from kehu.core import audit, clock, context, hooks
from kehu.core.ids import new_id
from kehu.customers.services import CustomerService
from kehu.webhooks import calling, signing, tasks
from kehu.webhooks.models import Webhook, WebhookDelivery
from kehu.webhooks.services import WebhookService, wants


class Receiver(ThreadingHTTPServer):
    """A server on loopback that notes what it gets and answers as told."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.got, self.status, self.wait = [], 200, threading.Event()
        self.slow = False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/hook?a=b"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        if self.server.slow:
            self.server.wait.wait(5)
        self.send_response(self.server.status)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.end_headers()
        self.wfile.write(b"thanks \x00 <b>")

    def log_message(self, *_args):
        pass


@pytest.fixture
def receiver(app, monkeypatch):
    settings = dataclasses.replace(app.extensions["kehu.settings"], webhooks_private=True)
    monkeypatch.setitem(app.extensions, "kehu.settings", settings)
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.wait.set()
    server.shutdown()
    server.server_close()


def hook(shop, url, events="customer.*"):
    with shop.work() as session:
        service = WebhookService(session)
        made = service.create({"name": "Books", "url": url, "events": events})
        found = made.id, service.secret_of(made)
    with shop.work():
        shop.tenant = hooks.tenant_by_id(shop.tenant.id)
    return found


def queued(shop, task):
    statement = text(
        "SELECT args FROM procrastinate_jobs WHERE task_name = :task AND args->>'tenant_id' = :id ORDER BY id"
    )
    with shop.work() as session:
        return list(session.execute(statement, {"task": task, "id": str(shop.tenant.id)}).scalars())


def run_all(shop):
    """Run what is queued, fan-out before sending, each job once more than it should."""
    for task, function in (("webhooks.fan_out", tasks.fan_out), ("webhooks.send", tasks.send)):
        for job in queued(shop, task):
            function(**job)
            function(**job)


def deliveries(shop):
    with shop.work() as session:
        return list(session.execute(select(WebhookDelivery).order_by(WebhookDelivery.entry_id)).scalars())


def state_of(shop, webhook_id):
    with shop.work() as session:
        found = session.get(Webhook, (shop.tenant.id, webhook_id))
        return found.active, found.failing_since


def change(shop, name="Anna"):
    with shop.work() as session:
        return CustomerService(session).create({"name": name}).id


def test_a_change_arrives_once_signed_and_named(shop, other_shop, receiver):
    webhook_id, secret = hook(shop, receiver.url)
    customer = change(shop)
    change(other_shop, "Foreign")
    run_all(shop)
    run_all(other_shop)
    ((path, headers, body),) = receiver.got
    told = json.loads(body)
    assert path == "/hook?a=b"
    assert (told["type"], told["version"], told["data"]["id"]) == ("customer.created", 1, str(customer))
    assert told["data"]["changes"]["name"] == [None, "Anna"]
    stamp = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == signing.sign(secret, headers["webhook-id"], stamp, body)
    (kept,) = deliveries(shop)
    assert (kept.state, kept.tries[0]["status"], kept.webhook_id) == ("delivered", 200, webhook_id)
    assert headers["webhook-id"] == f"msg_{kept.id.hex}"


def test_nobody_asked_means_nothing_enqueued(shop, receiver):
    hook(shop, receiver.url, "deal.won")
    change(shop)
    assert queued(shop, "webhooks.fan_out") == []
    assert wants(["*"], "deal.won")
    assert wants(["deal.*"], "deal.won")
    assert not wants(["deal.lost", "ticket.*"], "deal.won")


def test_a_failure_is_tried_again_with_growing_waits_and_ends(shop, receiver):
    webhook_id, _secret = hook(shop, receiver.url)
    receiver.status = 500
    change(shop)
    (job,) = queued(shop, "webhooks.fan_out")
    tasks.fan_out(**job)
    (first,) = queued(shop, "webhooks.send")
    for number in range(len(tasks.WAITS) + 1):
        tasks.send(**first)
        assert len(receiver.got) == number + 1
    (kept,) = deliveries(shop)
    assert (kept.state, kept.attempts) == ("failed", len(tasks.WAITS) + 1)
    assert "thanks" in kept.tries[0]["answer"]
    assert state_of(shop, webhook_id)[1] is not None
    page = shop.client().get(f"/settings/webhooks/{webhook_id}").get_data(as_text=True)
    assert "500" in page
    assert "<b>" not in page.split("thanks")[1][:20]
    receiver.status = 204
    client = shop.client()
    assert client.post(f"/settings/webhooks/{webhook_id}/deliveries/{kept.id}/replay").status_code == 303
    assert client.post(f"/settings/webhooks/{webhook_id}/deliveries/{kept.id}/replay").status_code == 409
    tasks.send(**first)
    assert deliveries(shop)[0].state == "delivered"
    assert state_of(shop, webhook_id) == (True, None)
    ids = {headers["webhook-id"] for _path, headers, _body in receiver.got}
    assert len(ids) == 1


def test_five_days_of_failure_switch_off_and_tell_the_admins(shop, receiver):
    webhook_id, _secret = hook(shop, receiver.url)
    receiver.status = 302
    change(shop)
    run_all(shop)
    assert len(receiver.got) == 2  # The job twice; the redirect was never followed.
    with clock.ahead(dt.timedelta(days=6)):
        tasks.send(**queued(shop, "webhooks.send")[0])
    assert state_of(shop, webhook_id)[0] is False
    assert deliveries(shop)[0].state == "failed"
    (mail,) = [
        job for job in queued(shop, "kehu.mail.deliver") if job["template"] == "webhooks/mail/switched_off"
    ]
    assert mail["to"] == shop.owner.email or "@" in mail["to"]
    with shop.app.app_context(), context.use(tenant=shop.tenant, actor=shop.owner):
        from kehu.core.mail import compose

        composed = compose(mail["to"], mail["template"], mail["values"])
        assert "switched off" in composed["Subject"]


def test_who_answers_too_late_is_cut_off(app, receiver):
    receiver.slow = True
    with app.app_context():
        answer = calling.call(receiver.url, b"{}", {}, total=0.3)
    assert answer.status is None
    assert answer.text == "No answer in time"
    assert answer.ms < 3000


def test_loopback_is_refused_where_it_is_not_allowed(app):
    with app.app_context():
        answer = calling.call("https://127.0.0.1:9/", b"{}", {})
        assert answer.text == "Refused: an address that is not public"
        assert calling.call("http://127.0.0.1:9/", b"{}", {}).text == "Refused: not https"


def test_the_pages_show_the_secret_once_and_keep_what_was_typed(shop):
    client = shop.client()
    wrong = client.post(
        "/settings/webhooks", data={"name": "Books", "url": "http://x", "events": "nonsense.*"}
    )
    page = wrong.get_data(as_text=True)
    assert wrong.status_code == 422
    assert 'value="nonsense.*"' in page
    assert "https://" in page
    made = client.post(
        "/settings/webhooks", data={"name": "Books", "url": "https://example.com/h", "events": "deal.*, *"}
    ).get_data(as_text=True)
    secret = re.search(r"whsec_[\w+/=]+", made).group()
    with shop.work() as session:
        record = session.execute(select(Webhook)).scalar_one()
        url = f"/settings/webhooks/{record.id}"
        trail = session.execute(select(audit.AuditEntry).where(audit.AuditEntry.object == "webhooks"))
        assert secret not in json.dumps([row.changes for row in trail.scalars()])
        assert secret not in record.secret
    assert secret not in client.get(url).get_data(as_text=True)
    assert client.get("/settings/webhooks").status_code == 200
    fresh = client.post(f"{url}/secret").get_data(as_text=True)
    assert re.search(r"whsec_[\w+/=]+", fresh).group() != secret
    with shop.work() as session:
        assert len(tasks._secrets(session.execute(select(Webhook)).scalar_one())) == 2
    with clock.ahead(dt.timedelta(days=2)), shop.work() as session:
        assert len(tasks._secrets(session.execute(select(Webhook)).scalar_one())) == 1
    stale = client.post(url, data={"name": "B", "url": "https://example.com", "events": "*", "version": "1"})
    assert stale.status_code == 409
    assert client.post(f"{url}/switch", data={"to": "off"}).status_code == 303
    assert client.post(f"{url}/trash").status_code == 303
    assert client.get(url).status_code == 404


def test_other_firms_and_roles_see_nothing(shop, other_shop):
    webhook_id, _secret = hook(shop, "https://example.com/h")
    url = f"/settings/webhooks/{webhook_id}"
    for path in (
        url,
        f"{url}/secret",
        f"{url}/switch",
        f"{url}/trash",
        f"{url}/deliveries/{new_id()}/replay",
    ):
        method = "get" if path == url else "post"
        assert getattr(other_shop.client(), method)(path).status_code == 404
        assert getattr(shop.client(shop.member("manager")), method)(path).status_code == 403


def test_programs_set_up_webhooks_and_read_a_secret_once(shop):
    head = {"Authorization": f"Bearer {shop.token()}"}
    client = shop.client()
    body = {"name": "Books", "url": "https://example.com/h", "events": ["deal.*"]}
    made = client.post("/api/v1/webhooks", json=body, headers=head)
    assert made.status_code == 201, made.get_data(as_text=True)
    assert "secret" not in made.get_data(as_text=True)
    answer = client.post(f"/api/v1/webhooks/{made.json['id']}/secret", headers=head)
    assert answer.status_code == 201
    assert answer.json["secret"].startswith("whsec_")
    reader = {"Authorization": f"Bearer {shop.token(['*:read'])}"}
    assert client.post(f"/api/v1/webhooks/{made.json['id']}/secret", headers=reader).status_code == 403
