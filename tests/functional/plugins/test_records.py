"""Record types that plugins declare: everything that the platform's own have, for tenants with the plugin alone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from kehu.addons import start
from kehu.api import Field, Option, RecordService, RecordType, hookimpl
from kehu.core import db, hooks, jobs, permissions
from kehu.core.audit import AuditEntry
from kehu.core.records import types
from kehu.core.records.service import service_for
from kehu.core.records.undo import undo_batch
from kehu.core.search import SearchTerm
from kehu.customers.models import Customer
from kehu.customers.services import CustomerService
from kehu.members.loading import actor_of_job
from kehu.members.models import Role
from kehu.testkit.fixtures import Shop, make_shop
from kehu.testkit.switch import disable, enable, purge
from kehu.views.models import SavedView
from kehu.web.records import pages as record_pages
from plugins.host import PluginHost, start_plugins
from plugins.records import State
from plugins_builtin.automotive.vehicles.models import Vehicle

SLUG, NAME = "automotive", "automotive.cars"
LIST, API = "/x/automotive/cars", "/api/v1/x/automotive/cars"


class CarService(RecordService[Any]):
    """The service of the example."""

    type_name = NAME

    def prepare(self, record: Any, changed: set[str]) -> None:
        """Name the car."""
        record.name = record.name_norm = record.plate


CARS = RecordType(
    name=NAME,
    singular="automotive.car",
    label="Car",
    plural="Cars",
    icon="box",
    model=Vehicle,
    service=CarService,
    owner="",
    title="plate",
    default_sort="plate",
    customer="customer_id",
    fields=(
        Field(
            key="plate", label="Plate", required=True, sortable=True, filterable=True, quick=True, unique=True
        ),
        Field(
            key="customer_id",
            label="Customer",
            kind="ref",
            ref="customers",
            required=True,
            column=True,
            quick=True,
        ),
        Field(key="make", label="Make", required=True, column=True, filterable=True, quick=True),
        Field(
            key="model",
            label="Model",
            kind="choice",
            required=True,
            column=True,
            filterable=True,
            quick=True,
            options=(Option(value="Golf", label="Golf"), Option(value="Polo", label="Polo", tone="info")),
        ),
        Field(key="year", label="Year", kind="number"),
    ),
)


def host_with(records: Sequence[Any], **more: Any) -> PluginHost:
    """Start the plugins, with these records instead of the module's own."""

    def importer(name: str) -> Any:
        module = import_module(name)
        if not name.startswith("plugins_builtin.automotive"):
            return module
        found = {key: value for key, value in vars(module).items() if key.startswith("kehu_")}

        @hookimpl
        def kehu_register_records() -> Sequence[Any]:
            return records

        return SimpleNamespace(**{**found, "kehu_register_records": kehu_register_records})

    return start_plugins(**more, importer=importer)


@pytest.fixture(scope="module")
def cars(app: Flask) -> Iterator[Flask]:
    """An application whose built-in plugin declares a record type more."""
    from kehu.app import create_app

    host, known = hooks.host(), dict(permissions._registry)
    kept = types.of_plugins()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(start, "start_plugins", lambda **more: host_with([CARS], **more))
        made = create_app(app.extensions["kehu.settings"])
    try:
        yield made
    finally:
        hooks.bind(host)
        jobs.bind(app, actor_of_job)
        types.forget(NAME)
        for slug, one in kept.values():
            types.register(one, plugin=slug)
        record_pages._pages.pop(NAME, None)
        permissions._registry.clear()
        permissions._registry.update(known)


@pytest.fixture
def garage(cars: Flask) -> Shop:
    """A firm that has the plugin on."""
    shop = make_shop(cars)
    enable(shop, SLUG)
    return shop


@pytest.fixture
def stranger(cars: Flask) -> Shop:
    """A firm that has not."""
    return make_shop(cars, name="Tidewater Marine")


def make_car(shop: Shop, plate: str = "AB12 CDE", customer: str = "Harbour Taxis") -> tuple[Any, Any]:
    with shop.work() as session:
        owner = CustomerService(session).create({"name": customer}).id
        values = {"plate": plate, "customer_id": str(owner), "make": "VW", "model": "Golf"}
        return service_for(NAME, session).create(values).id, owner


def test_it_has_pages_like_any_record(garage: Shop) -> None:
    client = garage.client()
    car, customer = make_car(garage)
    page = client.get(LIST).text
    assert f"{LIST}/{car}" in page
    assert "Harbour Taxis" in page
    assert f'href="{LIST}"' in client.get("/").text
    assert "AB12 CDE" not in client.get(f"{LIST}?model=Polo").text
    assert client.get(f"{LIST}/count").status_code == 200
    for path in ("", "/edit", "/history", "/field/year", "/position"):
        assert client.get(f"{LIST}/{car}{path}").status_code == 200, path
    new = client.get(f"{LIST}/new").text
    key = re.search(r'name="idempotency_key" value="([^"]+)"', new)
    assert key is not None
    form = {"plate": "XY99 ZZZ", "customer_id": str(customer), "make": "VW", "model": "nonesuch"}
    refused = client.post(f"{LIST}/new", data={**form, "idempotency_key": key[1]})
    assert refused.status_code == 422
    assert "XY99 ZZZ" in refused.text
    assert (
        client.post(f"{LIST}/new", data={**form, "model": "Polo", "idempotency_key": key[1]}).status_code
        == 303
    )
    lines = client.get(f"{LIST}/export.csv").text.splitlines()
    assert len(lines) == 3
    assert "XY99 ZZZ" in client.get("/search?q=XY99").text
    assert "Car" in client.get(f"/customers/{customer}?line=changes").text
    assert f"{LIST}/{car}" in client.get("/palette?q=AB12").text
    assert "AB12" in client.get(f"/lookup/{NAME}?q=AB12").text
    saved = client.post("/views/new", data={"type": NAME, "name": "Golfs", "query": "model=Golf"})
    assert saved.status_code < 400
    assert f"{LIST}?model=Golf" in client.get("/customers").text.replace("&amp;", "&")


def test_programs_reach_it(garage: Shop, stranger: Shop) -> None:
    _car, customer = make_car(garage)
    client, head = garage.app.test_client(), {"Authorization": f"Bearer {garage.token()}"}
    body = {"plate": "RE57 API", "customer_id": str(customer), "make": "VW", "model": "Golf"}
    made = client.post(API, json=body, headers=head)
    assert made.status_code == 201
    url = made.headers["Location"]
    assert url.startswith(f"{API}/")
    assert len(client.get(API, headers=head).json["data"]) == 2
    changed = client.patch(url, json={"year": 2020}, headers={**head, "If-Match": made.headers["ETag"]})
    assert changed.json["year"] == 2020
    assert client.delete(url, headers=head).status_code == 204
    assert client.post(f"{url.partition('?')[0]}/restore", headers=head).status_code == 200
    bad = client.post(API, json={**body, "model": "Beetle"}, headers=head)
    assert bad.status_code == 422
    assert "model" in bad.json["errors"]
    document = garage.client().get("/api/v1/openapi.json").json
    assert API in document["paths"]
    assert "NewAutomotiveCar" in document["components"]["schemas"]
    for other in (stranger.client(), client):
        document = other.get("/api/v1/openapi.json").json
        assert not [path for path in document["paths"] if "/x/" in path]
        assert "AutomotiveCar" not in document["components"]["schemas"]


def test_a_file_is_imported_and_taken_back(garage: Shop, stranger: Shop) -> None:
    client = garage.client()
    assert f'value="{NAME}"' in client.get("/imports/new").text
    assert NAME not in stranger.client().get("/imports/new").text
    make_car(garage)
    data = {
        "object": NAME,
        "file": (io.BytesIO(b"Plate,Customer,Make,Model\nIM01 PRT,Harbour Taxis,VW,Polo\n"), "cars.csv"),
    }
    answer = client.post("/imports/new", data=data, content_type="multipart/form-data")
    assert answer.status_code == 303
    assert "Plate" in client.get(answer.headers["Location"]).text
    refused = stranger.client().post(
        "/imports/new",
        data={"object": NAME, "file": (io.BytesIO(b"Plate\nX\n"), "cars.csv")},
        content_type="multipart/form-data",
    )
    assert refused.status_code == 422
    # Switched off later, the import is still no fault of the list.
    disable(garage, SLUG)
    assert client.get("/imports").status_code == 200
    assert client.get(answer.headers["Location"]).status_code == 404


def test_trash_undo_and_restore(garage: Shop) -> None:
    client = garage.client()
    car, customer = make_car(garage)
    assert client.post(f"{LIST}/{car}/trash").status_code in (200, 303)
    assert "AB12 CDE" in client.get("/trash").text
    with garage.work() as session:
        assert service_for(NAME, session).restore(car).plate == "AB12 CDE"
    with garage.work() as session:
        service_for(NAME, session).update(car, {"year": 2019})
    with garage.work() as session:
        batch = session.execute(
            select(AuditEntry.batch_id)
            .where(AuditEntry.object == NAME)
            .order_by(AuditEntry.id.desc())
            .limit(1)
        ).scalar_one()
        assert undo_batch(session, batch).undone == 1
        assert service_for(NAME, session).get(car).year is None
    assert f"{LIST}/{car}" in client.get(f"/customers/{customer}").text


def test_nothing_of_it_is_there_for_others(garage: Shop, stranger: Shop) -> None:
    car, _customer = make_car(garage)
    other = stranger.client()
    for path in (LIST, f"{LIST}/new", f"{LIST}/{car}", f"{LIST}/export.csv", f"/lookup/{NAME}"):
        assert other.get(path).status_code == 404, path
    assert other.get(API, headers={"Authorization": f"Bearer {stranger.token()}"}).status_code == 404
    for path in ("/", "/trash", "/search?q=AB12", "/settings/tokens", "/settings/audit", "/palette?q=car"):
        assert "automotive" not in other.get(path).text, path
    with stranger.work() as session:
        assert NAME not in types.registered()
        with pytest.raises(types.NoSuchType):
            service_for(NAME, session)
        role = session.execute(select(Role.id).where(Role.code == "member")).scalar_one()
    assert NAME not in other.get(f"/settings/roles/{role}").text
    assert other.post("/views/new", data={"type": NAME, "name": "Cars", "query": ""}).status_code == 404


def test_roles_get_what_they_have_over_other_records(garage: Shop) -> None:
    with garage.work() as session:
        rows = session.execute(select(Role.code, Role.permissions)).all()
    rights = {
        code: {
            right.partition(":")[2]: reach for right, reach in given.items() if right.startswith(f"{NAME}:")
        }
        for code, given in rows
    }
    assert rights["viewer"] == {"read": "all"}
    assert rights["member"] == {"read": "all", "write": "all", "delete": "own"}
    assert (
        rights["manager"]
        == rights["owner"]
        == dict.fromkeys(("read", "write", "delete", "export", "import"), "all")
    )
    car, _customer = make_car(garage)
    viewer = garage.client(garage.member("viewer"))
    assert viewer.get(f"{LIST}/{car}").status_code == 200
    assert viewer.get(f"{LIST}/{car}/edit").status_code == 403
    assert garage.client(garage.member("member")).get(f"{LIST}/export.csv").status_code == 403
    with garage.work() as session:
        role = session.execute(select(Role.id).where(Role.code == "member")).scalar_one()
    client = garage.client()
    assert f'name="p.{NAME}:read"' in client.get(f"/settings/roles/{role}").text
    # Rights over what is off are neither shown nor lost.
    disable(garage, SLUG)
    assert NAME not in client.get(f"/settings/roles/{role}").text
    assert (
        client.post(f"/settings/roles/{role}", data={"name": "Member", "p.deals:read": "all"}).status_code
        == 303
    )
    with garage.work() as session:
        assert (
            session.execute(select(Role).where(Role.code == "member"))
            .scalar_one()
            .permissions[f"{NAME}:write"]
        )


def test_switched_off_it_keeps_its_rows_and_purged_it_keeps_none(garage: Shop) -> None:
    client = garage.client()
    car, customer = make_car(garage)
    client.post("/views/new", data={"type": NAME, "name": "Golfs", "query": "model=Golf"})
    disable(garage, SLUG)
    assert client.get(f"{LIST}/{car}").status_code == 404
    for path in ("/customers", f"/customers/{customer}", "/search?q=AB12", "/trash", "/settings/audit"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert LIST not in answer.text, path
    enable(garage, SLUG)
    assert client.get(f"{LIST}/{car}").status_code == 200
    disable(garage, SLUG)
    purge(garage, SLUG)
    with garage.work() as session:
        terms = select(SearchTerm.term).where(SearchTerm.tenant_id == db.tenant_id(), SearchTerm.kind == NAME)
        assert session.execute(terms).first() is None
        views = select(SavedView.id).where(SavedView.tenant_id == db.tenant_id(), SavedView.object == NAME)
        assert session.execute(views).first() is None
        assert session.execute(select(Vehicle.id)).first() is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "cars"}, "no name of a record of this plugin"),
        ({"singular": "automotive.cars"}, "plural and the singular"),
        ({"title": "nonesuch"}, "title names"),
        ({"default_sort": "year"}, "default_sort"),
        ({"owner": "nobody_id"}, "owner names"),
        ({"icon": "no-such-icon"}, "no icon"),
        ({"model": Customer}, "schema"),
        ({"fields": (*CARS.fields, Field(key="ghost", label="Ghost"))}, "no column"),
        ({"fields": (*CARS.fields[1:], replace(CARS.fields[0], kind="ref", ref="dentist.teeth"))}, "points at"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_breaks_the_plugin_alone(
    cars: Flask, changes: dict[str, Any], words: str
) -> None:
    from kehu.addons.records import join

    host = host_with([replace(CARS, **changes)], system=("tenants", "billing"))
    known = types.of_plugins()
    try:
        join(host)
        record = host.installed.get(SLUG)
        assert record is not None
        assert record.state is State.BROKEN
        assert words in record.reason
        assert not types.of_plugins()
    finally:
        for slug, one in known.values():
            types.register(one, plugin=slug)
