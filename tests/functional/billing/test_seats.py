"""Seats: one way in, one line to wait in, never more than there are."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from billing import modes, tasks
from billing.accounts import AccountService
from billing.models import Account, Seat, SeatEntry
from billing.seats import SeatService
from kehu.core import clock, context
from kehu.core.errors import Conflict, InvalidInput, KehuError, NotFound
from kehu.members import invitations
from kehu.members.models import Member, Role
from kehu.members.role_services import RoleService
from kehu.members.services import MemberService
from kehu.testkit.fixtures import Shop, make_shop, make_user

DAY = dt.timedelta(days=1)


def role_id(session: Any, code: str = "member") -> uuid.UUID:
    return session.execute(select(Role.id).where(Role.code == code)).scalar_one()


def invite(session: Any, number: object, role: str = "member") -> Member:
    return MemberService(session).invite(
        name=f"Person {number}", email=f"p{number}@example.com", role_id=role_id(session, role)
    )


def counts(session: Any) -> tuple[int, int]:
    """Return (used by the counter, used by the rows); they must never differ."""
    account = session.execute(select(Account).execution_options(populate_existing=True)).scalar_one()
    rows = session.execute(
        select(func.count())
        .select_from(Seat)
        .where(Seat.state.in_(("reserved", "active")), Seat.kind == "full")
    ).scalar_one()
    return account.seats_used, rows


def seat_of(session: Any, member_id: uuid.UUID | None) -> Seat:
    return session.execute(select(Seat).where(Seat.member_id == member_id)).scalar_one()


def at_once(shop: Shop, acts: list[Callable[[Any], Any]]) -> list[BaseException | None]:
    """Run acts in threads of their own that start together; return what each raised."""
    barrier = threading.Barrier(len(acts))
    found: list[BaseException | None] = [None] * len(acts)

    def run(index: int) -> None:
        barrier.wait()
        try:
            with shop.work() as session:
                acts[index](session)
        except (KehuError, IntegrityError) as error:
            found[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_case_41_twenty_four_invitations_at_once_never_oversell(demo: None, app: Flask) -> None:
    shop = make_shop(app)
    rounds = 20
    for turn in range(rounds):
        with shop.work() as session:
            account = SeatService(session).locked()
            SeatService(session).set_cap(account, account.seats_used + 5, "test")
        acts = [lambda session, n=n, turn=turn: invite(session, f"{turn}.{n}") for n in range(24)]
        found = at_once(shop, acts)
        assert sum(error is None for error in found) == 5
        assert all(isinstance(error, Conflict) for error in found if error is not None)
        with shop.work() as session:
            assert counts(session) == (6 + 5 * turn,) * 2


def test_case_42_two_admins_invite_the_same_person(demo: None, shop: Shop) -> None:
    found = at_once(shop, [lambda session: invite(session, 1)] * 2)
    assert sorted(type(error).__name__ for error in found) == ["InvalidInput", "NoneType"]
    assert any(isinstance(error, InvalidInput) and "email" in error.fields for error in found)
    with shop.work() as session:
        assert counts(session) == (2, 2)


def test_case_42_two_admins_invite_the_same_person_while_billing_is_off(shop: Shop) -> None:
    for number in range(5):
        found = at_once(shop, [lambda session, number=number: invite(session, number)] * 4)
        assert sorted(type(error).__name__ for error in found) == [*["InvalidInput"] * 3, "NoneType"]
        with shop.work() as session:
            statement = select(func.count()).where(Member.email == f"p{number}@example.com")
            assert session.execute(statement).scalar_one() == 1


def test_the_third_wall_is_the_address(demo: None, shop: Shop) -> None:
    with pytest.raises(IntegrityError, match="billing_seats_email_key"), shop.work() as session:
        first = invite(session, 1)
        seat = seat_of(session, shop.owner.member_id)
        seat.email_norm = first.email_norm
        session.flush()


def test_the_second_wall_is_the_counter(demo: None, shop: Shop) -> None:
    with pytest.raises(IntegrityError, match="billing_accounts_seats_check"), shop.work() as session:
        account = SeatService(session).locked()
        account.seats_used = account.seats_cap + 1
        session.flush()


def joined(shop: Shop, number: object, role: str = "member") -> uuid.UUID:
    """Invite a person who accepts."""
    with shop.work() as session:
        member_id = invite(session, number, role).id
    accept(shop, member_id)
    return member_id


def accept(shop: Shop, member_id: uuid.UUID) -> None:
    with shop.work() as session:
        invitation = session.execute(
            select(invitations.Invitation)
            .where(invitations.Invitation.member_id == member_id)
            .order_by(invitations.Invitation.id.desc())
            .limit(1)
        ).scalar_one()
        token = invitations.link(invitation).rpartition("/")[2]
    with shop.work() as session:
        offer = invitations.find(token)
        invitations.accept(session, offer, make_user(session, "Newcomer"))


def test_an_acceptance_takes_the_seat_that_was_reserved(demo: None, shop: Shop) -> None:
    with shop.work() as session:
        member = invite(session, 1)
        seat = seat_of(session, member.id)
        assert (seat.state, counts(session)) == ("reserved", (2, 2))
        assert seat.reserved_until is not None
        assert dt.timedelta(days=13) < seat.reserved_until - clock.now() <= dt.timedelta(days=14)
    accept(shop, member.id)
    with shop.work() as session:
        assert (seat_of(session, member.id).state, counts(session)) == ("active", (2, 2))
        lines = session.execute(select(SeatEntry).order_by(SeatEntry.id)).scalars()
        said = [(line.reason, line.change, line.used) for line in lines]
        assert said == [("begin", 1, 1), ("invite", 1, 2), ("accept", 0, 2)]


def test_case_43_an_acceptance_after_the_cap_fell(demo: None, shop: Shop) -> None:
    with shop.work() as session:
        member_id = invite(session, 1).id
        service = SeatService(session)
        service.set_cap(service.locked(), 1, "cut")
    with pytest.raises(Conflict, match="fewer seats now than people"):
        accept(shop, member_id)
    with shop.work() as session:
        assert seat_of(session, member_id).state == "reserved"
        service = SeatService(session)
        service.set_cap(service.locked(), 2, "grown")
    accept(shop, member_id)


def test_case_44_a_lapsed_invitation_frees_its_seat_and_is_of_no_use(demo: None, shop: Shop) -> None:
    with shop.work() as session:
        member_id = invite(session, 1).id
    with clock.ahead(DAY * 14 + DAY / 24):
        with shop.work() as session:
            account = SeatService(session).locked()
            assert (account.seats_used, seat_of(session, member_id).state) == (1, "released")
        with pytest.raises(NotFound):
            accept(shop, member_id)
        with shop.work() as session:
            MemberService(session).resend(member_id)
            assert (counts(session), seat_of(session, member_id).state) == ((2, 2), "reserved")


def test_case_44_a_lapsed_invitation_is_not_sent_again_without_room(demo: None, shop: Shop) -> None:
    with shop.work() as session:
        member_id = invite(session, 1).id
    with clock.ahead(DAY * 15), shop.work() as session:
        service = SeatService(session)
        service.set_cap(service.locked(), 1, "cut")
        with pytest.raises(Conflict, match="seat is taken"):
            MemberService(session).resend(member_id)
        session.rollback()


def test_case_45_invite_unpark_and_a_wider_role_for_the_last_seat(demo: None, shop: Shop) -> None:
    parked, viewer = joined(shop, 1), joined(shop, 2, "viewer")
    with shop.work() as session:
        MemberService(session).park(parked)
        service = SeatService(session)
        service.set_cap(service.locked(), 2, "one left")
    found = at_once(
        shop,
        [
            lambda session: invite(session, 3),
            lambda session: MemberService(session).unpark(parked),
            lambda session: MemberService(session).change(viewer, role_id=role_id(session)),
        ],
    )
    assert sum(error is None for error in found) == 1
    with shop.work() as session:
        assert counts(session) == (2, 2)


def test_case_46_a_wider_role_needs_a_seat_and_a_narrower_one_frees_it(demo: None, shop: Shop) -> None:
    member, viewer = joined(shop, 1), joined(shop, 2, "viewer")
    with shop.work() as session:
        assert counts(session) == (2, 2)
        service = SeatService(session)
        service.set_cap(service.locked(), 2, "full")
    with pytest.raises(Conflict, match="All 2 seats are taken"), shop.work() as session:
        MemberService(session).change(viewer, role_id=role_id(session))
    with shop.work() as session:
        MemberService(session).change(member, role_id=role_id(session, "admin"))
        assert counts(session) == (2, 2)
        MemberService(session).change(member, role_id=role_id(session, "viewer"))
        assert counts(session) == (1, 1)
        MemberService(session).change(viewer, role_id=role_id(session))
        assert counts(session) == (2, 2)


def test_case_46_a_role_that_learns_to_write_needs_seats_for_all_who_have_it(demo: None, shop: Shop) -> None:
    viewers = [joined(shop, number, "viewer") for number in (1, 2)]
    with shop.work() as session:
        service = SeatService(session)
        service.set_cap(service.locked(), 2, "one left")
    grants = {"customers:read": "all", "customers:write": "all"}
    with pytest.raises(Conflict), shop.work() as session:
        RoleService(session).update(role_id(session, "viewer"), "Viewer", grants)
    with shop.work() as session:
        service = SeatService(session)
        service.set_cap(service.locked(), 3, "two left")
        RoleService(session).update(role_id(session, "viewer"), "Viewer", grants)
        assert {seat_of(session, one).kind for one in viewers} == {"full"}
        assert counts(session) == (3, 3)


def test_case_47_no_fewer_seats_than_are_taken(demo: None, shop: Shop) -> None:
    joined(shop, 1)
    with shop.work() as session:
        service = SeatService(session)
        account = service.locked()
        service.may_reduce(account, 2)
        with pytest.raises(Conflict, match=r"2 seats are taken\. Park 1 person"):
            service.may_reduce(account, 1)


def test_case_49_a_cut_from_outside_signs_nobody_out(set_account: Callable[..., str], shop: Shop) -> None:
    set_account(shop, trial_ends_at=clock.now() + DAY * 100)
    newest = [joined(shop, number) for number in (1, 2)]
    with shop.work() as session:
        service = SeatService(session)
        account = service.locked()
        service.set_cap(account, 2, "changed in the dashboard")
        assert account.over_seat_since is not None
        AccountService(session).refresh(account)
        assert [seat_of(session, one).state for one in newest] == ["active", "active"]
    with shop.work() as session:
        shop.tenant = context.tenant()
        with pytest.raises(Conflict, match="All 2 seats are taken"):
            invite(session, 3)
        session.rollback()
        writer = member_actor(session, newest[1])
        writer.require("customers:write")
    with clock.ahead(DAY * 15):
        with shop.work() as session:
            service = AccountService(session)
            service.refresh(service.lock())
            shop.tenant = context.tenant()
            late = [member_actor(session, one) for one in newest]
            with pytest.raises(KehuError, match="more people than seats"):
                late[1].require("customers:write")
            assert late[1].require("customers:read")
            assert late[0].require("customers:write")
            assert shop.owner.require("customers:write")
        with shop.work() as session:
            MemberService(session).park(newest[1])
            account = service_account(session)
            assert (account.seats_used, account.over_seat_since) == (2, None)
            AccountService(session).refresh(account)
            assert "stop" not in context.tenant().settings["billing"]


def member_actor(session: Any, member_id: uuid.UUID) -> context.Actor:
    from kehu.members.loading import actor_of_member

    found = actor_of_member(session, member_id)
    assert found is not None
    return found


def service_account(session: Any) -> Account:
    return AccountService(session).lock()


def test_parking_frees_a_seat_and_keeps_what_belongs_to_the_person(demo: None, shop: Shop) -> None:
    member = joined(shop, 1)
    with shop.work() as session:
        MemberService(session).park(member)
        assert (counts(session), seat_of(session, member).state) == ((1, 1), "parked")
        MemberService(session).unpark(member)
        assert (counts(session), seat_of(session, member).state) == ((2, 2), "active")


def test_viewers_are_free_up_to_what_is_fair(demo: None, shop: Shop) -> None:
    with shop.work() as session:
        AccountService(session).override("viewers", 2, "a test")
        shop.tenant = context.tenant()
    with shop.work() as session:
        for number in (1, 2):
            invite(session, number, "viewer")
        assert counts(session) == (1, 1)
        with pytest.raises(Conflict, match="room for 2 viewers"):
            invite(session, 3, "viewer")
        session.rollback()


def test_nobody_is_let_in_after_the_trial_but_parking_works(over: Callable[[], str], shop: Shop) -> None:
    member = joined(shop, 1)
    over()
    with shop.work() as session:
        with pytest.raises(Conflict, match="The trial is over"):
            invite(session, 2)
        session.rollback()
        MemberService(session).park(member)
        with pytest.raises(Conflict, match="The trial is over"):
            MemberService(session).unpark(member)
        session.rollback()


def test_people_who_were_there_before_have_seats_and_drift_is_mended(demo: None, shop: Shop) -> None:
    for _number in range(7):
        shop.member("member")
    shop.member("viewer")
    with shop.work() as session:
        service = SeatService(session)
        account = service.locked()
        assert (account.seats_used, account.seats_cap) == (8, 8)
        assert service.recount(account) == 0
        session.execute(
            text("UPDATE billing_seats SET state = 'parked' WHERE tenant_id = :t AND member_id = :m"),
            {"t": shop.tenant.id, "m": shop.owner.member_id},
        )
        session.expire_all()
        assert service.recount(account) >= 1
        assert counts(session) == (8, 8)


def test_the_hourly_work_frees_what_lapsed(demo: None, shop: Shop) -> None:
    with shop.work() as session:
        invite(session, 1)
    with clock.ahead(DAY * 30):
        tasks.hourly(tenant_id=str(shop.tenant.id))
        with shop.work() as session:
            assert counts(session) == (1, 1)
            account = session.execute(select(Account)).scalar_one()
            assert account.phase == "trial_over"


def test_case_69_off_knows_no_cap_but_the_operators(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop.work() as session:
        for number in range(8):
            invite(session, number)
        assert session.execute(select(Seat)).first() is None
    monkeypatch.setattr(modes, "_seat_limit", 9)
    with shop.work() as session:
        with pytest.raises(Conflict, match="allows 9 members"):
            invite(session, 10)
        invite(session, 11, "viewer")
