"""`PluginContract`: what every plugin has to keep, as ready tests. An author subclasses it and names the plugin.

```python
class TestContract(PluginContract):
    slug = "dentist"

    def fill(self, shop):
        with shop.work() as session:
            ...  # a row in each of the plugin's tables
```

There are two tenants in every test. Each failure says what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from flask import Flask
from sqlalchemy import select, text
from werkzeug.routing import Rule

from kehu.addons import drift, migrations
from kehu.addons.models import TenantPlugin
from kehu.addons.settings import schema_of as settings_of
from kehu.authoring import sources
from kehu.core import db, hooks, migration, permissions
from kehu.core.records.service import service_for
from kehu.core.records.types import get as get_type
from kehu.members.models import Role
from kehu.testkit.browser import Browser, browser
from kehu.testkit.contract_parts import (
    catalogue_of,
    codes_asked_for,
    form_values,
    hand_out_and_erase,
    links_of_figures,
    make_records,
    merge_into_another,
    path_of,
    plain,
    pointers_of,
    row_counts,
    sample_of,
    shape_of_the_platform,
    tables_in,
    tables_of,
    undo_merge,
    url_of,
    without_rights,
)
from kehu.testkit.database import TestServer
from kehu.testkit.fixtures import Shop, count_queries
from kehu.testkit.switch import disable, enable, purge, run_job_now
from plugins import hookspecs
from plugins.blueprint import VISITOR, access_of
from plugins.finder import manifest_path
from plugins.records import PluginRecord, State
from plugins.rules import Mode, rules_of
from plugins.slots import SLOTS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class PluginContract:
    """The tests. `slug` is the plugin's; the rest has sensible values."""

    slug: ClassVar[str]
    queries: ClassVar[int] = 15
    """The most statements that one of its pages or panels may need."""
    job_arguments: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Arguments of jobs that the plugin asks for itself, by name; those are not tried without."""

    seeds: ClassVar[bool] = False
    """It makes records of the platform when it is switched on (a pipeline), so that pages differ afterwards."""

    def fill(self, shop: Shop) -> None:
        """Put a row into each of the plugin's tables, as the owner of the shop. Override it if there are tables."""

    # What the tests stand on ----------------------------------------------------------------------------------

    @pytest.fixture
    def installed(self, app: Flask) -> PluginRecord:
        """What is known of the plugin in this installation, also of one that can't be used."""
        found = hooks.host().installed.get(self.slug)
        assert found is not None, (
            f"{self.slug} is not installed. Install it (pip install -e .); its entry point stands in pyproject.toml."
        )
        return found

    @pytest.fixture
    def record(self, installed: PluginRecord) -> PluginRecord:
        """What is known of the plugin; where it does not load, one test says why and the others are left out."""
        if installed.state is not State.READY:
            pytest.skip("The plugin does not load; test_it_loads says why.")
        return installed

    @pytest.fixture
    def folder(self, record: PluginRecord) -> Path:
        """The folder with the plugin's manifest and code."""
        return manifest_path(record.module).parent

    @pytest.fixture
    def on(self, shop: Shop, record: PluginRecord) -> Shop:
        """A firm that has the plugin on, with data."""
        enable(shop, self.slug)
        self.fill(shop)
        return shop

    @pytest.fixture
    def ids(self, on: Shop) -> dict[str, str]:
        """Records of the firm, by the argument of the slot that hands them over."""
        return make_records(on)

    # The package ----------------------------------------------------------------------------------------------

    def test_it_loads(self, installed: PluginRecord) -> None:
        if installed.state is not State.READY:
            pytest.fail(installed.reason, pytrace=False)

    def test_it_uses_nothing_that_is_to_go(self, record: PluginRecord) -> None:
        assert not record.warnings, "\n".join(record.warnings)

    def test_the_manifest_says_what_admins_ask(self, record: PluginRecord) -> None:
        manifest = record.manifest
        assert manifest is not None
        empty = [key for key in ("author", "licence", "summary") if not getattr(manifest, key)]
        assert not empty, f"plugin.toml: say {', '.join(empty)}."
        objects = {code.partition(":")[0] for code in permissions.registered()}
        scopes = [*manifest.reads, *manifest.writes]
        unknown = [one for one in scopes if one.partition(":")[0] not in objects]
        assert not unknown, (
            f"plugin.toml: reads and writes name nothing of the platform: {', '.join(unknown)}."
        )

    def test_it_imports_only_the_public_surface(self, record: PluginRecord, folder: Path) -> None:
        assert not sources.import_problems(folder, record.module)

    def test_templates_hold_nothing_inline(self, folder: Path) -> None:
        assert not sources.template_problems(folder)

    def test_texts_are_translated(self, record: PluginRecord, folder: Path) -> None:
        assert record.manifest is not None
        for locale in record.manifest.locales:
            if locale != "en":
                missing = sources.untranslated(folder, catalogue_of(record, folder, locale), locale)
                assert not missing, f"{locale}: {len(missing)} texts lack a translation: {missing[:5]}"

    def test_what_has_a_meter_is_counted(self, record: PluginRecord, folder: Path) -> None:
        assert record.manifest is not None
        code = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
        idle = [one.name for one in record.manifest.pricing.meters if f"{self.slug}.{one.name}" not in code]
        assert not idle, f"Nothing counts {idle}. Call count_usage with {self.slug}.{(idle or ['…'])[0]}."

    def test_hooks_return_what_they_promise(self, record: PluginRecord) -> None:
        for name, rule in rules_of(hookspecs).items():
            if rule.mode is Mode.REGISTER:
                hooks.host().relay.run_one(name, self.slug)

    def test_what_it_names_exists(self, app: Flask, record: PluginRecord) -> None:
        declared = {code for code, one in permissions.registered().items() if one.plugin == self.slug}
        named = {access_of(app.view_functions[rule.endpoint]) for rule in self._rules(app)} - {"", VISITOR}
        for _slug, one in self._declared("navigation", "panels", "actions"):
            assert one.endpoint in app.view_functions, (
                f"There is no page {one.endpoint}. Mend the declaration."
            )
            named.add(one.permission)
        unknown = {code for code in named - declared if code.startswith(f"{self.slug}.")}
        assert not unknown, f"Not declared: {sorted(unknown)}. Return them from kehu_register_permissions."
        # The platform asks for the rights over declared records, by its own pages.
        mine = {one.code for slug, one in hooks.host().declarations.permissions if slug == self.slug}
        unused = mine - named - codes_asked_for(manifest_path(record.module).parent, mine)
        assert not unused, f"Nothing asks for {sorted(unused)}. Take the permission out or ask for it."

    # Tables ---------------------------------------------------------------------------------------------------

    def test_tables_keep_tenants_apart(self, app: Flask, record: PluginRecord) -> None:
        engine = migration.owner_engine(app.extensions["kehu.settings"].database_url)
        with engine.connect() as connection:
            found = drift.problems(connection, self.slug)
        engine.dispose()
        assert not found, "\n".join(found)

    def test_migrations_go_up_down_and_up(self, record: PluginRecord, database_server: TestServer) -> None:
        folder = migrations.folder_of(record)
        if folder is None:
            assert not tables_of(self.slug), "There are tables, but no folder migrations."
            return
        urls = database_server.make()
        engine = migration.owner_engine(urls.owner)
        try:
            with engine.connect() as connection:
                for revision, tables_left in (("base", False), ("head", True), ("base", False)):
                    done = migrations._upgrade(connection, self.slug, folder, revision)
                    assert not done.error, f"To {revision}: {done.error}"
                    assert bool(tables_in(connection, self.slug)) is tables_left, (
                        f"After going to {revision}."
                    )
        finally:
            engine.dispose()
            database_server.drop(urls)

    def test_fill_leaves_a_row_in_each_table(self, on: Shop) -> None:
        empty = [name for name, rows in self._counts(on).items() if not rows]
        assert not empty, f"fill() leaves {', '.join(empty)} empty, so the tests below would see nothing."

    def test_another_tenant_sees_no_row(self, on: Shop, other_shop: Shop) -> None:
        enable(other_shop, self.slug)
        seeded = self._counts(other_shop)
        self.fill(on)
        assert self._counts(other_shop) == seeded

    def test_a_merge_of_records_keeps_its_rows(self, on: Shop) -> None:
        before, counts = pointers_of(on, self.slug), self._counts(on)
        for object_name, record_id in sorted({(one.object, one.record_id) for one in before}):
            kept_id, merge_id = merge_into_another(on, object_name, record_id)
            after = pointers_of(on, self.slug)
            assert self._counts(on) == counts, "kehu_merge_records removes rows that can't come back."
            assert (object_name, kept_id) in {(one.object, one.record_id) for one in after}, (
                f"No row of the plugin followed {object_name} {record_id} into the merged record."
            )
            undo_merge(on, object_name, merge_id)
            assert pointers_of(on, self.slug) == before, "After the merge was undone rows point elsewhere."

    def test_a_person_is_handed_out_whole_and_erased(self, on: Shop) -> None:
        before = pointers_of(on, self.slug)
        for object_name, record_id in sorted({(one.object, one.record_id) for one in before}, reverse=True):
            columns = [one.column.replace('"', "") for one in before if one.record_id == record_id]
            tables = {column.rpartition(".")[0].removeprefix("p_") for column in columns}
            out = hand_out_and_erase(on, object_name, record_id)
            missing = {name for name in tables if not any(name in one for one in out)}
            assert not missing, f"What is handed out to a person lacks {', '.join(sorted(missing))}."
            left = {one.column for one in pointers_of(on, self.slug) if one.record_id == record_id}
            assert not left, f"After a person was erased, {', '.join(sorted(left))} still point at him."

    def test_a_customer_can_be_removed_for_good(self, on: Shop, other_shop: Shop) -> None:
        enable(other_shop, self.slug)
        self.fill(other_shop)
        kept = self._counts(other_shop)
        with on.work(), db.cross_tenant("remove customers in a test") as session:
            for table in ("tickets", "deals", "contacts", "customers"):
                gone = text(f"DELETE FROM {table} WHERE tenant_id = :tenant")  # noqa: S608 - our own names
                session.execute(gone, {"tenant": on.tenant.id})
        assert self._counts(other_shop) == kept

    def test_its_tables_can_be_dropped_without_its_code(self, app: Flask, on: Shop) -> None:
        engine = migration.owner_engine(app.extensions["kehu.settings"].database_url)
        with engine.connect() as connection:
            before = shape_of_the_platform(connection)
            connection.execute(text(f'DROP SCHEMA IF EXISTS "p_{self.slug}" CASCADE'))
            assert shape_of_the_platform(connection) == before, "Dropping its schema changes the platform."
            connection.rollback()
        engine.dispose()

    # Pages ----------------------------------------------------------------------------------------------------

    def test_off_each_address_looks_as_if_it_never_was(self, app: Flask, on: Shop, other_shop: Shop) -> None:
        client = other_shop.client()
        nowhere = plain(client.get("/x/no_such_plugin/page"), "/x/no_such_plugin/page")
        tried: set[str] = set()
        for rule in self._rules(app):
            path, methods = path_of(rule), {"GET", *(rule.methods or ())}
            # What the guard does does not hang on the page: each method that a page may not have once per blueprint.
            group = rule.endpoint.rpartition(".")[0]
            asked = [(path, one) for one in METHODS if one in methods or group not in tried]
            tried.add(group)
            asked += [(path.rstrip("/") + "/", "GET"), (path.replace("/x/", "//x//"), "GET")]
            for address, method in asked:
                answer = client.open(address, method=method)
                assert answer.status_code == 404, (
                    f"{method} {address} answers {answer.status_code} in a firm that has it off."
                )
                if (address, method) == (path, "GET"):
                    assert plain(answer, path) == nowhere, f"{path} tells that the plugin exists."

    def test_switched_off_it_is_gone_at_the_next_request(self, app: Flask, on: Shop) -> None:
        client = on.client()
        paths = [path_of(rule) for rule in self._pages(app)]
        before = [client.get(path).status_code for path in paths]
        assert 404 not in before
        disable(on, self.slug)
        assert [client.get(path).status_code for path in paths] == [404] * len(paths)

    def test_pages_need_a_right(self, app: Flask, on: Shop) -> None:
        stranger = browser(app, f"{on.tenant.address}.localhost")
        weak = on.client(without_rights(on))
        for rule in self._rules(app):
            if access_of(app.view_functions[rule.endpoint]) == VISITOR or rule.endpoint.endswith(".static"):
                continue
            for method in sorted({"GET", "POST"} & set(rule.methods or ())):
                path = path_of(rule)
                assert stranger.open(path, method=method).status_code in (302, 303, 401, 403, 404), (
                    f"{path}: open to anybody."
                )
                assert weak.open(path, method=method).status_code == 403, (
                    f"{path}: open to a member without rights."
                )

    def test_pages_open_with_and_without_data(self, app: Flask, on: Shop, other_shop: Shop) -> None:
        enable(other_shop, self.slug)
        for client in (other_shop.client(), on.client()):
            for rule in self._pages(app):
                self._opens(client, path_of(rule))

    def test_panels_open(self, app: Flask, on: Shop, ids: dict[str, str]) -> None:
        client = on.client()
        for _slug, panel in self._declared("panels"):
            arguments = {name: ids[name] for name in SLOTS[panel.slot]}
            self._opens(client, url_of(app, panel.endpoint, arguments))

    def test_buttons_open(self, app: Flask, on: Shop, ids: dict[str, str]) -> None:
        for _slug, action in self._declared("actions"):
            record_id = ids.get(f"{action.object.removesuffix('s')}_id", "")
            self._opens(on.client(), url_of(app, action.endpoint, {"record_id": record_id}))

    def test_lines_of_the_side_bar_show(self, app: Flask, on: Shop, other_shop: Shop) -> None:
        here, there = (shop.client().get("/").get_data(as_text=True) for shop in (on, other_shop))
        for _slug, item in self._declared("navigation"):
            address = f'href="{url_of(app, item.endpoint, {})}"'
            assert address in here, f"{item.endpoint} does not stand in the side bar of the owner."
            assert address not in there, f"{item.endpoint} stands in the side bar of a firm that has it off."

    def test_reports_open_their_rows(self, on: Shop) -> None:
        client = on.client()
        for _slug, report in self._declared("reports"):
            address = f"/reports/{self.slug}.{report.name}"
            page = client.get(address).get_data(as_text=True)
            assert 'class="k-num"' in page or "k-empty" in page, f"{address} shows no figures."
            for url in links_of_figures(page):
                status = client.get(url).status_code
                assert status == 200, f"{address}: the rows of a figure, {url}, answer {status}."

    def test_its_fields_live_on_the_records_of_the_platform(self, on: Shop, ids: dict[str, str]) -> None:
        for _slug, declared in self._declared("custom_fields"):
            key, record_id = (
                f"{self.slug}_{declared.field.key}",
                ids[f"{declared.object.removesuffix('s')}_id"],
            )
            with on.work() as session:
                service_for(declared.object, session).update(record_id, {key: sample_of(declared.field)})
            with on.work() as session:
                kept = service_for(declared.object, session).get(record_id)
                assert getattr(kept, key) is not None, f"{key} keeps nothing."
        disable(on, self.slug)
        purge(on, self.slug)
        with on.work() as session:
            for name in ("customers", "contacts", "deals", "tickets"):
                left = select(get_type(name).model.custom).where(get_type(name).model.custom != {})
                assert not session.execute(left).first(), f"The purge left fields on {name}."

    # Settings and jobs ----------------------------------------------------------------------------------------

    def test_settings_can_be_saved_as_they_are(self, on: Shop) -> None:
        if settings_of(self.slug) is None:
            return
        page, client = f"/settings/plugins/{self.slug}/settings", on.client()
        opened = client.get(page).get_data(as_text=True)
        assert client.post(page, data=form_values(opened)).status_code == 303, (
            "The defaults are no valid settings."
        )

    def test_jobs_run_for_each_tenant_that_has_it(self, on: Shop, other_shop: Shop) -> None:
        before = self._counts(other_shop)
        for _slug, job in self._declared("jobs"):
            if not (job.at or job.every_minutes or job.name in self.job_arguments):
                continue
            for shop in (on, on, other_shop):  # Twice: after a failure a job comes again.
                run_job_now(shop, f"{self.slug}.{job.name}", **self.job_arguments.get(job.name, {}))
        assert self._counts(other_shop) == before, "A job left rows in a firm that has the plugin off."

    # On, off, gone --------------------------------------------------------------------------------------------

    def test_switching_on_again_adds_nothing(self, on: Shop) -> None:
        before = self._counts(on)
        disable(on, self.slug)
        enable(on, self.slug)
        assert self._counts(on) == before, "kehu_tenant_enabled is not safe to run again."

    def test_switching_off_keeps_the_data(self, on: Shop) -> None:
        before = self._counts(on)
        disable(on, self.slug)
        assert self._counts(on) == before

    def test_off_the_pages_of_the_platform_are_as_before(self, shop: Shop, record: PluginRecord) -> None:
        ids = make_records(shop)
        pages = [
            "/customers",
            f"/customers/{ids['customer_id']}",
            f"/deals/{ids['deal_id']}",
            f"/tickets/{ids['ticket_id']}",
        ]
        client = shop.client(shop.member("member"))
        for page in pages:
            client.get(page)  # The first visit adds the record to those seen last.
        before = [plain(client.get(page), page) for page in pages]
        enable(shop, self.slug)
        disable(shop, self.slug)
        for page, body in zip(pages, before, strict=True):
            now, was = plain(client.get(page), page), set(body.splitlines())
            assert f"/x/{self.slug}/" not in now, f"{page} still leads to the plugin."
            other = [line for line in now.splitlines() if line not in was]
            assert self.seeds or not other, f"{page} is not as before: {other[0][:200]}"

    def test_a_purge_leaves_nothing(self, on: Shop, other_shop: Shop) -> None:
        enable(other_shop, self.slug)
        self.fill(other_shop)
        kept = self._counts(other_shop)
        disable(on, self.slug)
        purge(on, self.slug)
        assert not any(self._counts(on).values())
        assert self._counts(other_shop) == kept, "The purge took rows of another firm."
        with on.work() as session:
            here = select(TenantPlugin).where(TenantPlugin.slug == self.slug)
            assert session.execute(here).scalar_one_or_none() is None
            left = {code for role in session.execute(select(Role)).scalars() for code in role.permissions}
            assert not {code for code in left if code.startswith(f"{self.slug}.")}
        enable(on, self.slug)
        disable(on, self.slug)

    # Parts ----------------------------------------------------------------------------------------------------

    def _rules(self, app: Flask) -> list[Rule]:
        return [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(f"/x/{self.slug}/")]

    def _pages(self, app: Flask) -> list[Rule]:
        """Return what a member opens by its address alone."""
        panels = {one.endpoint for _slug, one in self._declared("panels", "actions")}
        return [
            rule
            for rule in self._rules(app)
            if "GET" in (rule.methods or ())
            and not rule.arguments
            and rule.endpoint not in panels
            and access_of(app.view_functions[rule.endpoint]) not in ("", VISITOR)
        ]

    def _declared(self, *kinds: str) -> Iterator[tuple[str, Any]]:
        for kind in kinds:
            yield from (pair for pair in getattr(hooks.host().declarations, kind) if pair[0] == self.slug)

    def _counts(self, shop: Shop) -> dict[str, int]:
        return row_counts(shop, self.slug)

    def _opens(self, client: Browser, address: str) -> None:
        with count_queries() as found:
            answer = client.get(address)
        assert answer.status_code == 200, f"{address} answers {answer.status_code}."
        assert len(found) <= self.queries, (
            f"{address} needs {len(found)} statements; {self.queries} are allowed."
        )
