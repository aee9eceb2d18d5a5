import sys
from collections.abc import Callable
from types import ModuleType

import pytest
from pluggy import PluginManager

from plugins import deprecation, hookspecs
from plugins.finder import GROUP, discover, folder_of, installed_entry_points, manifest_path
from plugins.loader import find_plugins, load_plugins
from plugins.manifest import ManifestError
from plugins.records import Installed, State
from plugins.rules import PROJECT, rules_of
from tests.unit.plugins.conftest import Shelf

Code = Callable[..., str]
RULES = rules_of(hookspecs)


def states(installed: Installed) -> dict[str, str]:
    return {record.slug: record.state.value for record in installed}


def reason(installed: Installed, slug: str) -> str:
    record = installed.get(slug)
    assert record is not None
    assert record.remedy
    return record.reason


def load(installed: Installed) -> PluginManager:
    manager = PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    load_plugins(installed, manager, RULES)
    return manager


class TestFinding:
    def test_a_manifest_is_read_without_running_the_plugin(self, shelf: Shelf) -> None:
        shelf.add("alpha", "!")
        (record,) = discover(shelf())
        assert record.state is State.DISCOVERED
        assert record.manifest is not None
        assert "shelf_alpha" not in sys.modules

    def test_a_package_can_be_the_entry_point_itself(self, shelf: Shelf) -> None:
        shelf.add("alpha")
        shelf.entries.clear()
        shelf.claim("alpha", "shelf_alpha")
        assert discover(shelf())[0].state is State.DISCOVERED

    def test_deep_packages_are_found_without_importing_those_around(self, shelf: Shelf) -> None:
        shelf.add("alpha", package="shelf_top.inner.alpha")
        assert discover(shelf())[0].state is State.DISCOVERED
        assert not [name for name in sys.modules if name.startswith("shelf_top")]

    @pytest.mark.parametrize(
        "module", ["shelf_nowhere", "shelf_alpha.hooks.deeper", "shelf_alpha.nothing", "json.tool.deeper"]
    )
    def test_a_module_that_is_gone_is_broken(self, shelf: Shelf, module: str) -> None:
        shelf.add("alpha")
        with pytest.raises(ManifestError, match="is not there"):
            manifest_path(module)

    def test_a_module_that_cannot_be_looked_up_is_broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "shelf_odd", type(sys)("shelf_odd"))
        sys.modules["shelf_odd"].__spec__ = None
        with pytest.raises(ManifestError, match="can't be looked up"):
            manifest_path("shelf_odd")
        assert folder_of("shelf_none") is None

    def test_a_single_module_lies_in_its_folder(self, shelf: Shelf) -> None:
        (shelf.root / "shelf_single.py").write_text("")
        assert folder_of("shelf_single") == shelf.root

    def test_the_names_of_manifest_and_entry_point_must_agree(self, shelf: Shelf) -> None:
        shelf.add("alpha", manifest='slug = "beta"\nname = "B"\nversion = "1"\nsummary = "S"\napi = "0.1"\n')
        (record,) = discover(shelf())
        assert record.state is State.BROKEN
        assert "the manifest says 'beta', the entry point 'alpha'" in record.reason

    def test_a_slug_must_be_a_slug(self, shelf: Shelf) -> None:
        shelf.add("Al")
        assert "small letters" in discover(shelf())[0].reason

    def test_a_missing_manifest_is_broken_with_the_remedy(self, shelf: Shelf) -> None:
        shelf.add("alpha", manifest="")
        assert "plugin.toml is missing" in discover(shelf())[0].reason

    def test_two_claims_to_one_name_leave_both_out(self, shelf: Shelf) -> None:
        shelf.add("alpha", dist="first")
        shelf.add("alpha", package="shelf_other", dist="second")
        installed = find_plugins(entries=shelf)
        assert states(installed) == {"alpha": "conflict"}
        assert "first, second" in reason(installed, "alpha")

    def test_parts_of_the_platform_need_no_manifest(self, shelf: Shelf) -> None:
        shelf.add("tenants", manifest="")
        (record,) = discover(shelf(), ["tenants"])
        assert record.system
        assert record.state is State.DISCOVERED

    def test_what_is_installed_here_is_read_from_the_group(self) -> None:
        assert all(entry.group == GROUP for entry in installed_entry_points())


class TestAdmission:
    def test_the_operator_can_block_a_plugin(self, shelf: Shelf) -> None:
        shelf.add("alpha")
        shelf.add("beta")
        installed = find_plugins(entries=shelf, blocked=["alpha", "tenants"])
        assert states(installed) == {"alpha": "blocked", "beta": "compatible"}
        assert "operator" in reason(installed, "alpha")

    def test_parts_of_the_platform_cannot_be_blocked(self, shelf: Shelf) -> None:
        shelf.add("tenants", manifest="")
        assert states(find_plugins(entries=shelf, system=["tenants"], blocked=["tenants"])) == {
            "tenants": "compatible"
        }

    def test_safe_mode_keeps_what_is_built_in(self, shelf: Shelf) -> None:
        shelf.add("alpha")
        shelf.add("beta")
        vars(shelf.entries[1]).update(value="plugins_builtin.automotive.hooks")
        (shelf.root / "plugins_builtin").mkdir()
        records = {one.slug: one for one in discover(shelf())}
        assert records["beta"].builtin
        assert states(find_plugins(entries=shelf, safe_mode=True))["alpha"] == "blocked"

    def test_a_newer_api_is_incompatible(self, shelf: Shelf) -> None:
        shelf.add(
            "alpha", manifest='slug = "alpha"\nname = "A"\nversion = "1"\nsummary = "S"\napi = "0.99"\n'
        )
        installed = find_plugins(entries=shelf)
        assert states(installed) == {"alpha": "incompatible"}
        assert "0.99" in reason(installed, "alpha")

    @pytest.mark.parametrize(
        ("needed", "state", "words"),
        [
            (">=1", "compatible", ""),
            (">=2", "incompatible", "but 1.0 is installed"),
        ],
    )
    def test_requirements_have_versions(self, shelf: Shelf, needed: str, state: str, words: str) -> None:
        shelf.add("alpha", extra=f'requires = {{ beta = "{needed}" }}\n')
        shelf.add("beta")
        installed = find_plugins(entries=shelf)
        assert states(installed)["alpha"] == state
        record = installed.get("alpha")
        assert record is not None
        assert words in record.reason

    def test_a_loss_brings_down_who_needs_it(self, shelf: Shelf) -> None:
        shelf.add("alpha", extra='requires = { beta = "" }\n')
        shelf.add("beta", extra='requires = { gamma = "" }\n')
        installed = find_plugins(entries=shelf)
        assert set(states(installed).values()) == {"incompatible"}
        assert "gamma, which is not installed" in reason(installed, "beta")
        assert "beta, which is incompatible" in reason(installed, "alpha")

    def test_what_a_plugin_cannot_run_beside_keeps_it_out(self, shelf: Shelf) -> None:
        shelf.add("alpha", extra='conflicts = { beta = "<2", absent = "" }\n')
        shelf.add("beta")
        installed = find_plugins(entries=shelf)
        assert states(installed) == {"alpha": "conflict", "beta": "compatible"}
        assert "can't run beside beta 1.0" in reason(installed, "alpha")

    def test_what_others_need_comes_first(self, shelf: Shelf) -> None:
        shelf.add("alpha", extra='requires = { gamma = "" }\noptional = { beta = "", absent = "" }\n')
        shelf.add("beta")
        shelf.add("gamma")
        shelf.add("tenants", manifest="")
        assert list(states(find_plugins(entries=shelf, system=["tenants"]))) == [
            "tenants",
            "beta",
            "gamma",
            "alpha",
        ]

    def test_a_circle_of_needs_is_left_out(self, shelf: Shelf) -> None:
        shelf.add("alpha", extra='requires = { beta = "" }\n')
        shelf.add("beta", extra='optional = { alpha = "" }\n')
        shelf.add("gamma")
        installed = find_plugins(entries=shelf)
        assert states(installed) == {"gamma": "compatible", "alpha": "incompatible", "beta": "incompatible"}
        assert "circle" in reason(installed, "alpha")


class TestLoading:
    def test_a_good_plugin_is_ready(self, shelf: Shelf, code: Code) -> None:
        shelf.add("alpha", code("kehu_register_panels", "return []"))
        installed = find_plugins(entries=shelf)
        manager = load(installed)
        assert states(installed) == {"alpha": "ready"}
        assert manager.get_plugin("alpha") is installed.ready[0].plugin
        assert not installed.problems

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
            ("import sys; sys.exit(3)", "SystemExit: 3"),
            ("def broken(:", "SyntaxError"),
            ("import nothing_of_the_kind", "ModuleNotFoundError"),
        ],
    )
    def test_code_that_fails_hurts_only_itself(self, shelf: Shelf, body: str, expected: str) -> None:
        shelf.add("alpha", body)
        shelf.add("beta")
        installed = find_plugins(entries=shelf)
        manager = load(installed)
        assert states(installed) == {"alpha": "broken", "beta": "ready"}
        assert expected in reason(installed, "alpha")
        assert manager.get_plugin("alpha") is None

    @pytest.mark.parametrize(
        ("name", "mark", "arguments", "expected"),
        [
            ("kehu_register_panel", "@hookimpl", "", "Did you mean kehu_register_panels?"),
            ("kehu_zzzzz", "@hookimpl", "", "listed in docs/plugins"),
            (
                "anything",
                "@hookimpl(specname='kehu_register_panelz')",
                "",
                "Did you mean kehu_register_panels?",
            ),
            ("kehu_register_panels", "@hookimpl(wrapper=True)", "", "marked with wrapper"),
            ("kehu_register_panels", "@hookimpl(hookwrapper=True)", "", "marked with hookwrapper"),
            ("kehu_register_panels", "@hookimpl(tryfirst=True)", "", "marked with tryfirst"),
            ("kehu_register_panels", "@hookimpl(trylast=True)", "", "marked with trylast"),
            ("kehu_register_panels", "@hookimpl(optionalhook=True)", "", "marked with optionalhook"),
            ("kehu_register_panels", "", "", "Put @hookimpl above it."),
            ("kehu_resolve_tenant", "@hookimpl", "", "belongs to the platform's own parts"),
            ("kehu_register_panels", "@hookimpl", "colour", "colour"),
        ],
    )
    def test_a_hook_that_is_wrong_is_told(
        self, shelf: Shelf, code: Code, name: str, mark: str, arguments: str, expected: str
    ) -> None:
        shelf.add("alpha", code(name, "yield", arguments, mark))
        installed = find_plugins(entries=shelf)
        manager = load(installed)
        assert states(installed) == {"alpha": "broken"}
        assert expected in reason(installed, "alpha")
        assert manager.get_plugin("alpha") is None
        assert not manager.hook.kehu_register_panels.get_hookimpls()

    def test_who_needs_a_broken_plugin_is_broken(self, shelf: Shelf) -> None:
        shelf.add("alpha", extra='requires = { beta = "" }\n')
        shelf.add("beta", "raise RuntimeError")
        installed = find_plugins(entries=shelf)
        load(installed)
        assert states(installed) == {"beta": "broken", "alpha": "broken"}
        assert reason(installed, "alpha") == "It needs beta, which is broken."

    def test_parts_of_the_platform_may_answer_system_hooks(self, shelf: Shelf, code: Code) -> None:
        shelf.add("tenants", code("kehu_resolve_tenant", arguments="host"), manifest="")
        installed = find_plugins(entries=shelf, system=["tenants"])
        load(installed)
        assert states(installed) == {"tenants": "ready"}

    def test_without_a_part_of_the_platform_there_is_no_boot(self, shelf: Shelf, code: Code) -> None:
        shelf.add("tenants", "raise RuntimeError('no luck')", manifest="")
        with pytest.raises(RuntimeError, match="no luck"):
            load(find_plugins(entries=shelf, system=["tenants"]))
        shelf.entries.clear()
        shelf.add("billing", code("kehu_wrong"), manifest="")
        with pytest.raises(ImportError, match="billing"):
            load(find_plugins(entries=shelf, system=["billing"]))


class TestNamesOfThePlatform:
    """Nobody can take a name away from what comes with the platform."""

    @pytest.mark.parametrize("first", [True, False])
    @pytest.mark.parametrize(
        ("slug", "module"),
        [("automotive", "plugins_builtin.automotive"), ("tenants", "tenants.plugin")],
    )
    def test_who_claims_one_is_left_out_and_told(
        self, shelf: Shelf, slug: str, module: str, first: bool
    ) -> None:
        if not first:
            shelf.claim(slug, module, dist="kehu")
        shelf.add(slug, "!", package=f"evil_{slug}", dist="evil-dist")
        if first:
            shelf.claim(slug, module, dist="kehu")
        (record,) = discover(shelf(), system=["tenants"])
        assert record.state is State.DISCOVERED
        assert (record.distribution, record.module) == ("kehu", module)
        assert record.warnings == ("evil-dist claims this name, too, and is left out. Uninstall it.",)


OLD_SPECS = """
from plugins.rules import Mode, spec
@spec(Mode.OBSERVE, goes="goes with API 0.4. Use kehu_new.")
def kehu_old(ctx):
    ...
@spec(Mode.OBSERVE, arguments_go={"limit": "goes with API 0.4. Leave it out."})
def kehu_some(ctx, limit):
    ...
"""


class TestWhatIsToGo:
    """Uses of what is to go are told with file and line, and the plugin runs on."""

    def test_hooks_arguments_and_names(self, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(deprecation.OLD_NAMES, "former", ("new_id", "0.4"))
        code = (
            "from kehu.api import former\nimport warnings\nwarnings.warn('of another kind', ResourceWarning)\n"
            "@hookimpl\ndef kehu_old(ctx):\n    pass\n@hookimpl\ndef kehu_some(ctx, limit):\n    pass\n"
        )
        shelf.add("alpha", code)
        shelf.add("beta", extra='status = "deprecated"\nreplaced_by = "gamma"\nend_date = "2027-01-31"\n')
        installed = find_plugins(entries=shelf)
        specs = ModuleType("specs")
        exec(OLD_SPECS, vars(specs))
        manager = PluginManager(PROJECT)
        manager.add_hookspecs(specs)
        with pytest.warns(ResourceWarning, match="of another kind"):
            load_plugins(installed, manager, rules_of(specs))
        alpha, beta = installed.get("alpha"), installed.get("beta")
        assert alpha is not None
        assert beta is not None
        assert (alpha.state, beta.state) == (State.READY, State.READY)
        told = [one.partition("hooks.py:")[2] for one in alpha.warnings]
        assert told == [
            "2: kehu.api.former goes with plugin API 0.4. Use new_id.",
            "5: kehu_old goes with API 0.4. Use kehu_new.",
            "8: The argument limit of kehu_some goes with API 0.4. Leave it out.",
        ]
        assert beta.warnings == ("Its author gives it up. It ends on 2027-01-31. Use gamma instead.",)

    def test_a_name_that_never_was_is_no_name(self) -> None:
        with pytest.raises(ImportError):
            exec("from kehu.api import never_was")
