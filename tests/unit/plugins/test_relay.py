from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, SimpleNamespace
from typing import Any

import pytest
from pluggy import PluginManager

from plugins import relay as module
from plugins.breaker import Breaker
from plugins.relay import GuardFailedError, PluginError, Relay, WrongResultError, running
from plugins.results import Contribution, Fault
from plugins.rules import PROJECT, Mode, hookimpl, rules_of, spec
from tests.unit.plugins.conftest import Clock


class Specs:
    @staticmethod
    @spec(Mode.CONTRIBUTE, item=str)
    def kehu_words(ctx: object, limit: int) -> None: ...

    @staticmethod
    @spec(Mode.CONTRIBUTE, item=str, first=True)
    def kehu_word() -> None: ...

    @staticmethod
    @spec(Mode.GUARD, item=str)
    def kehu_guard() -> None: ...

    @staticmethod
    @spec(Mode.OBSERVE, transaction=True)
    def kehu_seen(event: object) -> None: ...

    @staticmethod
    @spec(Mode.VALIDATE, item=str, transaction=True)
    def kehu_validate() -> None: ...


SPECS = SimpleNamespace(**{name: getattr(Specs, name) for name in dir(Specs) if name.startswith("kehu_")})
Hooks = dict[str, Callable[..., Any]]
ALL = frozenset(("alpha", "beta", "gamma"))


def named(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    # A function of its own, because the marker is set on it.
    return hookimpl(FunctionType(function.__code__, function.__globals__, name, None, function.__closure__))  # type: ignore[arg-type]


class House:
    """A relay with plugins made of functions."""

    def __init__(self, clock: Clock) -> None:
        self.manager = PluginManager(PROJECT)
        self.manager.add_hookspecs(SPECS)
        self.faults: list[Fault] = []
        self.savepoints: list[str] = []
        self.clock = clock
        self.options: dict[str, Any] = {}

    def add(self, slug: str, **hooks: Callable[..., Any]) -> None:
        self.manager.register(
            SimpleNamespace(**{name: named(name, function) for name, function in hooks.items()}), slug
        )

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        self.savepoints.append("begin")
        try:
            yield
        except BaseException:
            self.savepoints.append("rollback")
            raise
        self.savepoints.append("release")

    def relay(self, **options: Any) -> Relay:
        return Relay(
            self.manager,
            rules_of(SPECS),  # type: ignore[arg-type]
            **{
                "breaker": Breaker(self.clock),
                "on_fault": self.faults.append,
                "savepoint": self.savepoint,
                **options,
            },
        )


@pytest.fixture
def house(clock: Clock) -> House:
    return House(clock)


def fail() -> None:
    raise RuntimeError("no luck")


class TestWhoIsCalled:
    def test_only_what_the_tenant_has(self, house: House) -> None:
        house.add("alpha", kehu_words=lambda: ["a"])
        house.add("beta", kehu_words=lambda: ["b"])
        relay = house.relay()
        assert relay.collect("kehu_words", enabled=frozenset(["beta"])) == [
            Contribution(plugin="beta", value=["b"])
        ]
        assert relay.collect("kehu_words", enabled=frozenset()) == []
        assert relay.implementers("kehu_words", ALL) == ("alpha", "beta")

    def test_another_name_for_an_implementation_leaks_nothing(self, house: House) -> None:
        house.manager.register(
            SimpleNamespace(other=hookimpl(specname="kehu_words")(lambda: ["leak"])), "alpha"
        )
        assert house.relay().collect("kehu_words") == []
        assert house.relay().collect("kehu_words", enabled=ALL)

    def test_parts_of_the_platform_are_always_on_and_first(self, house: House) -> None:
        house.add("alpha", kehu_words=lambda: ["a"])
        house.add("zeta", kehu_words=lambda: ["z"])
        relay = house.relay(system=frozenset(["zeta"]))
        assert relay.implementers("kehu_words") == ("zeta",)
        assert relay.implementers("kehu_words", ALL) == ("zeta", "alpha")

    def test_the_order_is_that_of_needs(self, house: House) -> None:
        for slug in ("alpha", "beta", "gamma"):
            house.add(slug, kehu_words=lambda: ["w"])
        assert house.relay(order=["gamma", "beta"]).implementers("kehu_words", ALL) == (
            "gamma",
            "beta",
            "alpha",
        )

    def test_who_is_taken_out_is_called_no_more(self, house: House) -> None:
        house.add("alpha", kehu_words=lambda: ["a"])
        relay = house.relay()
        assert relay.collect("kehu_words", enabled=ALL)
        house.manager.unregister(name="alpha")
        relay.forget()
        assert relay.collect("kehu_words", enabled=ALL) == []

    def test_sets_are_remembered_up_to_a_bound(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_CACHED_SETS", 3)
        relay = house.relay()
        for number in range(10):
            relay.collect("kehu_words", enabled=frozenset([str(number)]))
        assert len(relay._targets) <= 3


class TestCalling:
    def test_arguments_go_by_name_and_only_those_asked_for(self, house: House) -> None:
        house.add("alpha", kehu_words=lambda limit: [str(limit)])
        house.add("beta", kehu_words=lambda: ["none"])
        assert [one.value for one in house.relay().items("kehu_words", enabled=ALL, ctx=None, limit=3)] == [
            "3",
            "none",
        ]

    def test_a_forgotten_argument_is_the_callers_mistake(self, house: House) -> None:
        house.add("alpha", kehu_words=lambda limit: [str(limit)], kehu_seen=lambda event: None)
        with pytest.raises(KeyError, match="limit"):
            house.relay().collect("kehu_words", enabled=ALL)
        with pytest.raises(KeyError, match="event"):
            house.relay().run_one("kehu_seen", "alpha")
        assert not house.faults

    def test_items_come_from_all_lists(self, house: House) -> None:
        house.add("alpha", kehu_words=lambda: ["a", "b"])
        house.add("beta", kehu_words=lambda: None)
        house.add("gamma", kehu_words=lambda: ("c",), kehu_word=lambda: "one")
        relay = house.relay()
        assert [(one.plugin, one.value) for one in relay.items("kehu_words", enabled=ALL)] == [
            ("alpha", "a"),
            ("alpha", "b"),
            ("gamma", "c"),
        ]
        assert [one.value for one in relay.items("kehu_word", enabled=ALL)] == ["one"]

    def test_the_first_answer_wins(self, house: House) -> None:
        asked: list[str] = []
        house.add("alpha", kehu_word=lambda: asked.append("a"))
        house.add("beta", kehu_word=lambda: asked.append("b") or "b")
        house.add("gamma", kehu_word=lambda: asked.append("c") or "c")
        relay = house.relay()
        assert relay.first("kehu_word", enabled=ALL) == "b"
        assert asked == ["a", "b"]
        assert relay.first("kehu_word", enabled=frozenset(["alpha"])) is None

    def test_while_a_plugin_runs_its_name_is_known(self, house: House) -> None:
        seen: list[str | None] = []
        house.add("alpha", kehu_word=lambda: seen.append(running.get()))
        house.add("tenants", kehu_word=lambda: seen.append(running.get()))
        house.relay(system=frozenset(["tenants"])).first("kehu_word", enabled=ALL)
        assert seen == [None, "alpha"]
        assert running.get() is None


class TestFailing:
    def test_a_failing_plugin_is_left_out_and_recorded(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        house.add("alpha", kehu_words=fail)
        house.add("beta", kehu_words=lambda: ["b"])
        answers = house.relay().collect("kehu_words", enabled=ALL, tenant="acme")
        assert [one.plugin for one in answers] == ["beta"]
        (fault,) = house.faults
        assert (fault.plugin, fault.hook, fault.tenant_id) == ("alpha", "kehu_words", "acme")
        assert "test_relay:" in fault.location
        assert "no luck" in caplog.text

    def test_a_plugin_that_wants_to_end_the_process_is_a_fault(self, house: House) -> None:
        def leave() -> None:
            raise SystemExit(3)

        house.add("alpha", kehu_words=leave)
        assert house.relay().collect("kehu_words", enabled=ALL) == []
        assert len(house.faults) == 1

    def test_the_same_mistake_has_one_fingerprint(self, house: House) -> None:
        house.add("alpha", kehu_words=fail, kehu_word=fail)
        relay = house.relay()
        for hook in ("kehu_words", "kehu_words", "kehu_word"):
            relay.collect(hook, enabled=ALL)
        one, two, three = (fault.fingerprint for fault in house.faults)
        assert one == two != three

    def test_a_wrong_result_is_a_fault(self, house: House) -> None:
        house.add("alpha", kehu_words=lambda: "not a list")
        assert house.relay().collect("kehu_words", enabled=ALL) == []
        assert isinstance(house.faults[0].error, WrongResultError)
        assert (
            str(house.faults[0].error) == "kehu_words of alpha returned str where a list of str is expected."
        )

    def test_a_record_that_fails_too_hurts_nobody(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        house.add("alpha", kehu_words=fail)
        assert house.relay(on_fault=lambda fault: fail()).collect("kehu_words", enabled=ALL) == []
        assert "could not be stored" in caplog.text

    def test_without_a_recorder_the_log_stands(self, house: House, caplog: pytest.LogCaptureFixture) -> None:
        house.add("alpha", kehu_words=fail)
        relay = Relay(house.manager, rules_of(SPECS))  # type: ignore[arg-type]
        assert relay.collect("kehu_words", enabled=ALL) == []
        assert "no luck" in caplog.text

    def test_a_part_of_the_platform_fails_openly(self, house: House) -> None:
        house.add("tenants", kehu_words=fail)
        relay = house.relay(system=frozenset(["tenants"]))
        with pytest.raises(RuntimeError, match="no luck"):
            relay.collect("kehu_words")
        with pytest.raises(RuntimeError, match="no luck"):
            relay.run_one("kehu_words", "tenants")
        assert not house.faults

    def test_in_tests_everything_fails_openly(self, house: House) -> None:
        house.add("alpha", kehu_words=fail)
        relay = house.relay(strict=True)
        with pytest.raises(RuntimeError, match="no luck"):
            relay.collect("kehu_words", enabled=ALL)
        with pytest.raises(RuntimeError, match="no luck"):
            relay.run_one("kehu_words", "alpha")

    def test_a_guard_that_fails_refuses(self, house: House) -> None:
        house.add("alpha", kehu_guard=fail)
        relay = house.relay()
        for _ in range(5):
            with pytest.raises(GuardFailedError, match="no luck"):
                relay.collect("kehu_guard", enabled=ALL)
        with pytest.raises(GuardFailedError, match="rests"):
            relay.collect("kehu_guard", enabled=ALL)

    def test_repeated_failures_rest_the_plugin_for_this_tenant(self, house: House, clock: Clock) -> None:
        calls: list[str] = []
        house.add("alpha", kehu_words=lambda: calls.append("x") or fail())
        relay = house.relay()
        for _ in range(9):
            relay.collect("kehu_words", enabled=ALL, tenant="acme")
        assert len(calls) == 5
        assert house.faults[-1].trip == "opened"
        relay.collect("kehu_words", enabled=ALL, tenant="other")
        assert len(calls) == 6
        clock.sleep(31)
        relay.collect("kehu_words", enabled=ALL, tenant="acme")
        assert len(calls) == 7

    def test_a_plugin_that_is_well_again_goes_on(self, house: House, clock: Clock) -> None:
        ill = [True]
        house.add("alpha", kehu_words=lambda: fail() if ill[0] else ["well"])
        relay = house.relay()
        for _ in range(5):
            relay.collect("kehu_words", enabled=ALL)
        ill[0] = False
        clock.sleep(31)
        assert relay.collect("kehu_words", enabled=ALL)
        assert relay.breaker.quiet


class TestSavepoints:
    def test_a_failing_hook_is_rolled_back_alone(self, house: House) -> None:
        house.add("alpha", kehu_validate=fail)
        house.add("beta", kehu_validate=lambda: ["b"])
        assert len(house.relay().collect("kehu_validate", enabled=ALL)) == 1
        assert house.savepoints == ["begin", "rollback", "begin", "release"]

    def test_a_wrong_result_is_rolled_back_too(self, house: House) -> None:
        house.add("alpha", kehu_validate=lambda: 3)
        house.relay().collect("kehu_validate", enabled=ALL)
        assert house.savepoints == ["begin", "rollback"]

    def test_hooks_outside_of_transactions_open_none(self, house: House) -> None:
        house.add("alpha", kehu_words=lambda: ["a"])
        house.relay().collect("kehu_words", enabled=ALL)
        assert house.savepoints == []


class TestOnePlugin:
    def test_it_alone_is_called(self, house: House) -> None:
        seen: list[str] = []
        house.add("alpha", kehu_seen=lambda event: seen.append(f"alpha {event}"))
        house.add("beta", kehu_seen=lambda event: seen.append(f"beta {event}"))
        house.add("tenants", kehu_seen=lambda event: seen.append("tenants"))
        relay = house.relay(system=frozenset(["tenants"]))
        assert relay.run_one("kehu_seen", "beta", event="won") is None
        assert seen == ["beta won"]

    def test_one_without_the_hook_answers_nothing(self, house: House) -> None:
        house.add("alpha")
        assert house.relay().run_one("kehu_words", "alpha") is None

    def test_its_failure_reaches_the_caller(self, house: House) -> None:
        house.add("alpha", kehu_seen=fail)
        with pytest.raises(PluginError, match="'alpha' failed in kehu_seen: RuntimeError: no luck") as caught:
            house.relay().run_one("kehu_seen", "alpha", tenant="acme", event=None)
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert house.savepoints == ["begin", "rollback"]
        assert house.faults[0].tenant_id == "acme"


def test_a_function_without_source_has_its_module_as_place() -> None:
    assert module.location_of(RuntimeError(), print) == "builtins"
