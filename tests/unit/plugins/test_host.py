from collections.abc import Callable

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView

from plugins.blueprint import BlueprintError, PluginBlueprint, register_blueprint
from plugins.host import PluginHost, start_plugins
from plugins.path_guard import install_path_guard, plugin_of_path
from plugins.records import State
from tests.unit.plugins.conftest import Shelf

ROUTES = """
from plugins.blueprint import PluginBlueprint
from plugins.results import NavItem, Panel, Permission

pages = PluginBlueprint("{slug}", __name__)

@pages.get("/things/")
def things():
    return "things"

@pages.post("/save")
def save():
    return "saved"

things.kehu_access = save.kehu_access = "{slug}.thing:read"

@pages.errorhandler(404)
def lost(error):
    return "the plugin's own 404", 404

@hookimpl
def kehu_register_routes():
    return [pages]

@hookimpl
def kehu_register_permissions():
    return [Permission(code="{slug}.thing:read", description="See things")]

@hookimpl
def kehu_register_navigation():
    return [NavItem(label="Things", endpoint="{slug}.things", permission="{slug}.thing:read")]

@hookimpl
def kehu_register_panels():
    permission = "{slug}.thing:read"
    return [Panel(slot="customer.side", endpoint="{slug}.things", title="Things", permission=permission)]
"""
BAD_PAGES = """
from plugins.blueprint import PluginBlueprint
from plugins.results import NavItem, Panel, Permission
pages = PluginBlueprint("alpha", __name__)
{setup}
@hookimpl
def kehu_register_routes():
    return [pages]
"""


@pytest.fixture
def bare_app() -> Flask:
    bare_app = Flask(__name__, static_folder=None)
    bare_app.add_url_rule("/", "home", lambda: "home")
    return bare_app


def start(shelf: Shelf, **options: object) -> PluginHost:
    return start_plugins(entries=shelf, **options)  # type: ignore[arg-type]


def state(host: PluginHost, slug: str) -> tuple[State, str]:
    record = host.installed.get(slug)
    assert record is not None
    return record.state, record.reason


class TestHost:
    def test_what_plugins_add_is_collected(self, shelf: Shelf) -> None:
        shelf.add("alpha", ROUTES.format(slug="alpha"))
        shelf.add("beta", ROUTES.format(slug="beta"))
        declared = start(shelf).declarations
        assert [slug for slug, _ in declared.routes] == ["alpha", "beta"]
        assert [entry.code for _, entry in declared.permissions] == ["alpha.thing:read", "beta.thing:read"]
        assert len(declared.navigation) == len(declared.panels) == 2

    def test_live_plugins_are_those_both_on_and_ready(self, shelf: Shelf) -> None:
        shelf.add("alpha")
        shelf.add("beta", "raise RuntimeError")
        shelf.add("tenants", manifest="")
        host = start(shelf, system=["tenants"])
        wanted = frozenset(("alpha", "beta", "gone", "tenants"))
        assert host.live(wanted) == {"alpha"}
        assert host.live(wanted) is host.live(wanted)
        for number in range(4097):
            host.live(frozenset([str(number)]))
        assert len(host._live) <= 4096

    def test_pages_are_mounted(self, shelf: Shelf, bare_app: Flask) -> None:
        shelf.add("alpha", ROUTES.format(slug="alpha"))
        start(shelf).mount(bare_app)
        assert bare_app.test_client().get("/x/alpha/things/").text == "things"

    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            (ROUTES.format(slug="beta"), "the endpoint 'beta.x' is not the plugin's own"),
            (
                ROUTES.format(slug="alpha").replace('code="alpha.', 'code="customer.'),
                "does not carry the plugin's name",
            ),
            (
                ROUTES.format(slug="alpha").replace(
                    'endpoint="alpha.things", title', 'endpoint="customers.list", title'
                ),
                "'customers.list' is not the plugin's own",
            ),
            (
                ROUTES.format(slug="alpha").replace("return [NavItem(", "return 6 * [NavItem("),
                "6 lines; 5 are allowed",
            ),
            (
                ROUTES.format(slug="alpha").replace("return [pages]", "return pages"),
                "a list of PluginBlueprint",
            ),
            (
                ROUTES.format(slug="alpha").replace("customer.side", "customer.sid"),
                "Did you mean 'customer.side'?",
            ),
            (ROUTES.format(slug="alpha").replace("return [pages]", "import sys; sys.exit()"), "SystemExit"),
        ],
    )
    def test_a_plugin_that_declares_nonsense_is_taken_out(
        self, shelf: Shelf, code: str, expected: str
    ) -> None:
        shelf.add("alpha", code)
        shelf.add("zeta", ROUTES.format(slug="zeta"))
        host = start(shelf)
        assert state(host, "alpha")[0] is State.BROKEN
        assert expected in state(host, "alpha")[1]
        assert [slug for slug, _ in host.declarations.permissions] == ["zeta"]
        assert host.relay.implementers("kehu_register_panels", frozenset(("alpha", "zeta"))) == ("zeta",)

    def test_a_part_of_the_platform_uses_any_name(self, shelf: Shelf, bare_app: Flask) -> None:
        code = ROUTES.format(slug="other").replace("__name__)", '__name__, url_prefix="/settings")')
        shelf.add("tenants", code.replace("things/", ""), manifest="")
        start(shelf, system=["tenants"]).mount(bare_app)
        assert bare_app.test_client().post("/settings/save").text == "saved"

    def test_a_part_of_the_platform_that_fails_stops_the_boot(self, shelf: Shelf) -> None:
        shelf.add("tenants", ROUTES.format(slug="x").replace("return [pages]", "1/0"), manifest="")
        with pytest.raises(ZeroDivisionError):
            start(shelf, system=["tenants"])

    def test_faults_are_handed_to_the_platform(self, shelf: Shelf) -> None:
        shelf.add("alpha", "@hookimpl\ndef kehu_tenant_disabled():\n    1/0\n")
        faults: list[object] = []
        host = start(shelf, on_fault=faults.append)
        with pytest.raises(Exception, match="ZeroDivisionError"):
            host.relay.run_one("kehu_tenant_disabled", "alpha", ctx=None)
        assert len(faults) == 1


class TestBlueprint:
    @pytest.mark.parametrize(
        "call",
        [
            lambda bp: bp.before_app_request(print),
            lambda bp: bp.after_app_request(print),
            lambda bp: bp.teardown_app_request(print),
            lambda bp: bp.app_errorhandler(404),
            lambda bp: bp.app_context_processor(dict),
            lambda bp: bp.app_template_filter("x"),
            lambda bp: bp.app_template_global("x"),
            lambda bp: bp.app_template_test("x"),
            lambda bp: bp.add_app_template_filter(print),
            lambda bp: bp.add_app_template_global(print),
            lambda bp: bp.add_app_template_test(print),
            lambda bp: bp.app_url_defaults(print),
            lambda bp: bp.app_url_value_preprocessor(print),
        ],
    )
    def test_nothing_acts_on_the_whole_application(self, call: Callable[[PluginBlueprint], object]) -> None:
        with pytest.raises(BlueprintError, match="acts on the pages of every tenant"):
            call(PluginBlueprint("alpha", __name__))

    def test_no_method_of_flask_is_forgotten(self) -> None:
        app_wide = {name for name in dir(Blueprint) if "app_" in name or name.endswith("_app")}
        for name in app_wide:
            assert getattr(PluginBlueprint, name) is not getattr(Blueprint, name), name

    @pytest.mark.parametrize(
        ("setup", "expected"),
        [
            ("pages.record(lambda state: state.app.before_request(print))", "an app-wide before_request"),
            ("pages.record(lambda state: state.app.after_request(print))", "an app-wide after_request"),
            (
                "pages.record(lambda state: state.app.teardown_appcontext(print))",
                "app-wide teardown_appcontext",
            ),
            (
                "pages.record(lambda state: state.app.register_error_handler(404, print))",
                "app-wide error handler",
            ),
            (
                "pages.record(lambda state: state.app.jinja_env.globals.update(a=1))",
                "app-wide template global",
            ),
            ("pages.record(lambda state: state.app.config.update(A=1))", "app-wide setting"),
            (
                "pages.record(lambda state: state.app.add_url_rule('/evil', 'e', print))",
                "'/evil' lies outside",
            ),
            ("pages.cli.command('go')(print)", "app-wide command"),
            ("pages.subdomain = 'www'", "sub-domain"),
            ("pages.name = 'alphabet'", "endpoint 'alphabet.x' is not"),
            ("pages.record(lambda state: 1/0)", "division by zero"),
        ],
    )
    def test_a_blueprint_that_reaches_out_is_refused(
        self, shelf: Shelf, bare_app: Flask, setup: str, expected: str
    ) -> None:
        shelf.add("alpha", BAD_PAGES.format(setup=setup))
        host = start(shelf)
        host.mount(bare_app)
        assert state(host, "alpha")[0] is State.BROKEN
        assert expected in state(host, "alpha")[1]
        assert "alpha" not in bare_app.blueprints
        assert host.declarations.routes == []
        assert bare_app.test_client().get("/evil").status_code == 404

    @pytest.mark.parametrize(
        ("access", "capabilities", "expected"),
        [
            ("", "", "does not say who may open it"),
            ("visitor", "", "Name 'public_routes' among the capabilities"),
            ("visitor", 'capabilities = ["public_routes"]', ""),
            ("alpha.thing:read", "", ""),
        ],
    )
    def test_each_page_says_who_may_open_it(
        self, shelf: Shelf, bare_app: Flask, access: str, capabilities: str, expected: str
    ) -> None:
        mark = f"one.kehu_access = {access!r}" if access else ""
        setup = f"@pages.get('/one')\ndef one():\n    return 'one'\n{mark}"
        shelf.add("alpha", BAD_PAGES.format(setup=setup), extra=capabilities)
        host = start(shelf)
        host.mount(bare_app)
        assert expected in state(host, "alpha")[1]
        assert (state(host, "alpha")[0] is State.BROKEN) is bool(expected)

    def test_a_class_says_it_for_its_methods(self, bare_app: Flask) -> None:
        class Two(MethodView):
            kehu_access = "alpha.thing:read"

            def get(self) -> str:
                return "two"

        pages = PluginBlueprint("alpha", __name__, static_folder=".")
        pages.add_url_rule("/two", view_func=Two.as_view("two"))
        register_blueprint(bare_app, "alpha", pages)
        assert bare_app.test_client().get("/x/alpha/two").text == "two"

    def test_in_tests_it_fails_openly(self, shelf: Shelf, bare_app: Flask) -> None:
        shelf.add("alpha", BAD_PAGES.format(setup="pages.subdomain = 'www'"))
        with pytest.raises(BlueprintError, match="sub-domain"):
            start(shelf, strict=True).mount(bare_app)

    def test_names_are_the_plugins_own(self, bare_app: Flask) -> None:
        with pytest.raises(BlueprintError, match='Name it "alpha" or "alpha_…"'):
            register_blueprint(bare_app, "alpha", PluginBlueprint("beta", __name__))
        register_blueprint(bare_app, "alpha", PluginBlueprint("alpha_api", __name__))

    def test_a_name_of_the_platform_is_refused(self, shelf: Shelf, bare_app: Flask) -> None:
        bare_app.register_blueprint(Blueprint("alpha", __name__))
        shelf.add("alpha", ROUTES.format(slug="alpha"))
        host = start(shelf)
        host.mount(bare_app)
        assert "already registered" in state(host, "alpha")[1]

    def test_templates_lie_in_a_folder_of_the_plugins_name(self, shelf: Shelf, bare_app: Flask) -> None:
        shelf.add(
            "alpha", BAD_PAGES.format(setup="").replace("__name__)", "__name__, template_folder='templates')")
        )
        folder = shelf.root / "shelf_alpha" / "templates"
        (folder / "alpha").mkdir(parents=True)
        (folder / "alpha" / "list.html").write_text("fine")
        (folder / "base.html").write_text("shadow")
        host = start(shelf)
        host.mount(bare_app)
        assert "'base.html' lies outside the plugin's own folder" in state(host, "alpha")[1]


class TestPathGuard:
    @pytest.fixture
    def enabled(self) -> set[str]:
        return set()

    @pytest.fixture
    def guarded(self, shelf: Shelf, bare_app: Flask, enabled: set[str]) -> Flask:
        shelf.add("alpha", ROUTES.format(slug="alpha"))
        start(shelf).mount(bare_app)
        bare_app.add_url_rule("/api/v1/x/alpha/things", "data", lambda: "data")
        bare_app.errorhandler(404)(lambda error: ("nothing here", 404))
        install_path_guard(bare_app, lambda: frozenset(enabled))
        return bare_app

    @pytest.mark.parametrize(
        "path",
        [
            "/x/alpha",
            "/x/alpha/",
            "/x/alpha/things",
            "/x/alpha/things/",
            "/x/alpha/save",
            "//x/alpha/things/",
            "/x//alpha/things/",
            "/x/alpha//things/",
            "/x/alpha/missing",
            "/x/%61lpha/things/",
            "/api/v1/x/alpha/things",
            "/api/v1/x/alpha/things/",
        ],
    )
    def test_what_is_off_does_not_exist(self, guarded: Flask, path: str) -> None:
        client = guarded.test_client()
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "ODD"):
            off = client.open(path, method=method)
            unknown = client.open("/x/never_was/things/", method=method)
            assert off.status_code == unknown.status_code == 404
            assert off.data == unknown.data
            assert sorted(off.headers) == sorted(unknown.headers)

    def test_what_is_on_answers(self, guarded: Flask, enabled: set[str]) -> None:
        enabled.add("alpha")
        client = guarded.test_client()
        assert client.get("/x/alpha/things/").text == "things"
        assert client.get("/x/alpha/save").status_code == 405
        assert client.get("/x/alpha/things").status_code == 308
        assert client.get("/api/v1/x/alpha/things").text == "data"
        assert client.get("/").text == "home"

    @pytest.mark.parametrize(
        ("path", "slug"),
        [
            ("/", None),
            ("/customers/x", None),
            ("/customers/x/alpha", None),
            ("/x/", None),
            ("/x", None),
            ("/x/alpha", "alpha"),
            ("//x///alpha/y", "alpha"),
            ("/api/v12/x/alpha/y", "alpha"),
            ("/api/x/alpha", None),
        ],
    )
    def test_paths_name_plugins(self, path: str, slug: str | None) -> None:
        assert plugin_of_path(path) == slug
