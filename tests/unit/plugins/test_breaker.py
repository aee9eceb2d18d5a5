from plugins.breaker import Breaker, Key, Limits, Trip
from tests.unit.plugins.conftest import Clock

ONE = Key("acme", "automotive", "kehu_x")


def fail(breaker: Breaker, times: int, key: Key = ONE) -> list[Trip | None]:
    return [breaker.failed(key) for _ in range(times)]


def test_it_opens_at_the_fifth_fault_within_a_minute(clock: Clock) -> None:
    breaker = Breaker(clock)
    assert fail(breaker, 4) == [None] * 4
    assert breaker.allows(ONE)
    assert fail(breaker, 1) == [Trip.OPENED]
    assert not breaker.allows(ONE)


def test_old_faults_do_not_count(clock: Clock) -> None:
    breaker = Breaker(clock)
    fail(breaker, 4)
    clock.sleep(61)
    assert fail(breaker, 4) == [None] * 4
    assert breaker.quiet


def test_others_are_not_touched(clock: Clock) -> None:
    breaker = Breaker(clock)
    fail(breaker, 5)
    assert breaker.allows(ONE._replace(tenant="other"))
    assert breaker.allows(ONE._replace(hook="kehu_y"))
    assert breaker.allows(ONE._replace(plugin="marketing"))


def test_after_the_rest_a_success_closes_it(clock: Clock) -> None:
    breaker = Breaker(clock)
    fail(breaker, 5)
    clock.sleep(31)
    assert breaker.allows(ONE)
    breaker.succeeded(ONE)
    assert breaker.quiet
    assert fail(breaker, 4) == [None] * 4


def test_after_the_rest_one_fault_opens_it_again(clock: Clock) -> None:
    breaker = Breaker(clock)
    fail(breaker, 5)
    clock.sleep(31)
    assert fail(breaker, 1) == [Trip.OPENED]
    assert not breaker.allows(ONE)


def test_faults_of_calls_under_way_change_nothing(clock: Clock) -> None:
    breaker = Breaker(clock)
    fail(breaker, 5)
    assert fail(breaker, 3) == [None] * 3


def test_three_times_again_within_an_hour_is_a_case_for_quarantine(clock: Clock) -> None:
    breaker = Breaker(clock)
    fail(breaker, 5)
    trips = []
    for _ in range(3):
        clock.sleep(31)
        trips += fail(breaker, 1)
    assert trips == [Trip.OPENED, Trip.OPENED, Trip.QUARANTINED]


def test_a_spread_over_hours_is_not(clock: Clock) -> None:
    breaker = Breaker(clock)
    fail(breaker, 5)
    trips = []
    for _ in range(4):
        clock.sleep(3601)
        trips += fail(breaker, 1)
    assert trips == [Trip.OPENED] * 4


def test_three_tenants_rest_the_plugin_for_all(clock: Clock) -> None:
    breaker = Breaker(clock)
    trips = [fail(breaker, 5, ONE._replace(tenant=name))[-1] for name in ("a", "b", "c")]
    assert trips == [Trip.OPENED, Trip.OPENED, Trip.EVERYWHERE]
    fourth = ONE._replace(tenant="d", hook="kehu_y")
    assert not breaker.allows(fourth)
    assert breaker.allows(ONE._replace(tenant="d", plugin="marketing"))
    clock.sleep(31)
    assert breaker.allows(fourth)
    breaker.succeeded(fourth)
    for name in ("a", "b", "c"):
        breaker.succeeded(ONE._replace(tenant=name))
    assert breaker.quiet


def test_faults_of_pages_never_rest_it_for_other_firms(clock: Clock) -> None:
    breaker = Breaker(clock)
    page = Key("a", "automotive", "page x")
    for name in ("a", "b", "c", "d"):
        trips = [breaker.failed(page._replace(tenant=name), alone=True) for _ in range(5)]
        assert trips[-1] is Trip.OPENED
        assert not breaker.allows(page._replace(tenant=name))
    assert fail(breaker, 5, ONE._replace(tenant="e"))[-1] is Trip.OPENED
    assert breaker.allows(ONE._replace(tenant="f"))


def test_faults_without_a_tenant_do_not_add_up_to_everywhere(clock: Clock) -> None:
    breaker = Breaker(clock)
    for hook in ("x", "y", "z"):
        assert fail(breaker, 5, Key(None, "automotive", hook))[-1] is Trip.OPENED


def test_memory_is_bounded(clock: Clock) -> None:
    breaker = Breaker(clock, Limits(keys=10))
    fail(breaker, 5)
    for number in range(100):
        breaker.failed(Key(number, "automotive", "kehu_x"))
    assert len(breaker._circuits) <= 11
    assert not breaker.allows(ONE)
    clock.sleep(61)
    breaker.failed(Key("new", "automotive", "kehu_x"))
    breaker.succeeded(Key("unknown", "automotive", "kehu_x"))
    assert len(breaker._circuits) <= 11
