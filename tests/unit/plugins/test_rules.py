import inspect
from types import ModuleType

import pytest

from plugins import hookspecs
from plugins.results import Permission
from plugins.rules import PROJECT, HookRule, Mode, Shape, rules_of, spec

RULES = rules_of(hookspecs)


def rule(**changes: object) -> HookRule:
    values = {
        "name": "kehu_x",
        "mode": Mode.CONTRIBUTE,
        "shape": Shape.LIST,
        "item": str,
        "first": False,
        "transaction": False,
        "arguments": (),
    }
    return HookRule(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", RULES)
def test_every_hook_carries_the_project_name_and_says_how_it_is_called(name: str) -> None:
    found = RULES[name]
    text = " ".join((inspect.getdoc(getattr(hookspecs, name)) or "").split())
    assert name.startswith(f"{PROJECT}_")
    assert f"Mode {found.mode.value}" in text
    assert "Fires" in text
    assert ("first answer wins" in text) is found.first
    assert "Return" in text or "return" in text or "Tell" in text or found.first
    with pytest.raises(NotImplementedError):
        getattr(hookspecs, name)(**dict.fromkeys(found.arguments))


def test_only_what_belongs_to_the_platform_is_a_system_hook() -> None:
    system = {name for name, one in RULES.items() if one.mode is Mode.SYSTEM}
    assert system == {
        "kehu_init_app",
        "kehu_resolve_tenant",
        "kehu_active_tenants",
        "kehu_tenant_by_id",
        "kehu_member_tenants",
        "kehu_store_plugins",
        "kehu_keep_fact",
        "kehu_billing_state",
        "kehu_addon_offer",
        "kehu_entitled",
        "kehu_price_list",
        "kehu_seat_check",
        "kehu_seat_offer",
        "kehu_take_seat",
    }


def test_hooks_that_may_touch_the_database_run_in_a_savepoint() -> None:
    for one in RULES.values():
        assert one.transaction or one.mode not in {Mode.LIFECYCLE, Mode.OBSERVE, Mode.GUARD}
        assert not one.transaction or one.arguments[:1] == ("ctx",), (
            "only a call with a session has a transaction"
        )


def test_a_shape_follows_from_the_item() -> None:
    module = ModuleType("specs")

    @spec(Mode.CONTRIBUTE, item=Permission)
    def kehu_many() -> None: ...

    @spec(Mode.CONTRIBUTE, item=Permission, first=True)
    def kehu_one(ctx: object, phone: str) -> None: ...

    @spec(Mode.OBSERVE)
    def kehu_none() -> None: ...

    vars(module).update(a=kehu_many, b=kehu_one, c=kehu_none, d=3)
    found = rules_of(module)
    assert [found[name].shape for name in ("kehu_many", "kehu_one", "kehu_none")] == [
        Shape.LIST,
        Shape.ONE,
        Shape.NOTHING,
    ]
    assert found["kehu_one"].arguments == ("ctx", "phone")


@pytest.mark.parametrize(
    ("shape", "value", "fits"),
    [
        (Shape.LIST, ["a"], True),
        (Shape.LIST, ("a", "b"), True),
        (Shape.LIST, [], True),
        (Shape.LIST, "a", False),
        (Shape.LIST, [1], False),
        (Shape.ONE, "a", True),
        (Shape.ONE, 1, False),
        (Shape.NOTHING, "a", False),
        (Shape.NOTHING, None, True),
        (Shape.LIST, None, True),
    ],
)
def test_results_are_checked(shape: Shape, value: object, fits: bool) -> None:
    assert rule(shape=shape).accepts(value) is fits


def test_the_expectation_is_told_in_words() -> None:
    assert [rule(shape=shape).expectation() for shape in Shape] == [
        "nothing",
        "one str or None",
        "a list of str",
    ]
