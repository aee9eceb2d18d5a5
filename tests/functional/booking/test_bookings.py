"""Bookings: clashes with words, under two threads too; steps, undo, trash, the board, rights, other firms."""

import datetime as dt
import threading

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from kehu.booking.models import Booking, BookingLine
from kehu.booking.services import BookingService, ResourceService
from kehu.core import clock
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.ids import new_id
from kehu.core.records import undo
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import count_queries

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def day_of(shop, days=7):
    return clock.today(shop.tenant.tz) + dt.timedelta(days=days)


def at(shop, hour, days=7):
    return f"{day_of(shop, days)}T{hour}"


@pytest.fixture
def room(shop):
    with shop.work() as session:
        given = {"name": "Lift 1", "kind": "Lift", "before_minutes": 10, "after_minutes": 10}
        return str(ResourceService(session).create(given).id)


def values(shop, room, start="10:00", end="10:30", **more):
    return {
        "resource_id": room,
        "name": "Oil change",
        "from_at": at(shop, start),
        "to_at": at(shop, end),
        **more,
    }


def book(session, shop, room, *times, **more):
    return BookingService(session).create(values(shop, room, *times, **more))


def refused(session, given):
    with pytest.raises(InvalidInput) as error:
        BookingService(session).create(given)
    return error.value.fields


class TestClash:
    def test_is_refused_with_words(self, shop, room, session):
        book(session, shop, room)
        fields = refused(session, values(shop, room, "10:45", "11:15"))
        assert "“Lift 1” is taken" in fields["resource_id"][0]
        assert "09:50–10:40 by “Oil change”" in fields["resource_id"][0]
        book(session, shop, room, "10:50", "11:20")

    def test_of_the_second_resource_and_of_the_member(self, shop, room, session):
        plates = str(ResourceService(session).create({"name": "Plates 7", "kind": "Plates"}).id)
        me = str(shop.owner.member_id)
        book(session, shop, plates, member_id=me)
        assert list(refused(session, values(shop, room, second_id=plates))) == ["second_id"]
        assert "Mira Sol is taken" in refused(session, values(shop, room, member_id=me))["member_id"][0]
        other = book(session, shop, room)
        session.flush()
        with pytest.raises(InvalidInput) as error:
            BookingService(session).update(other.id, {"member_id": me})
        assert "Mira Sol is taken" in error.value.fields["member_id"][0]
        assert list(refused(session, values(shop, room, second_id=room))) == ["second_id"]

    @pytest.mark.parametrize("state", ["cancelled", "no_show"])
    def test_ends_with_the_booking(self, shop, room, session, state):
        first = book(session, shop, room)
        BookingService(session).step(first.id, state)
        book(session, shop, room)
        with pytest.raises(InvalidInput):
            BookingService(session).update(first.id, {"state": "booked"})

    def test_comes_back_from_the_trash_only_when_free(self, shop, room, session):
        first = book(session, shop, room)
        BookingService(session).trash(first.id)
        second = book(session, shop, room)
        with pytest.raises(InvalidInput):
            BookingService(session).restore(first.id)
        BookingService(session).trash(second.id)
        BookingService(session).restore(first.id)
        assert list(refused(session, values(shop, room))) == ["resource_id"]

    def test_of_a_batch_with_itself(self, shop, room, session):
        rows = [values(shop, room), values(shop, room, "11:00", "11:30"), values(shop, room)]
        outcomes = BookingService(session).create_many(rows)
        assert [bool(one.record) for one in outcomes] == [True, True, False]

    def test_is_refused_by_the_database_alone(self, shop, room, session):
        booking = book(session, shop, room)
        line = session.execute(select(BookingLine).where(BookingLine.booking_id == booking.id)).scalar_one()
        row = {
            key: getattr(line, key)
            for key in ("tenant_id", "booking_id", "resource_id", "begins_at", "ends_at")
        }
        with pytest.raises(IntegrityError, match="booking_lines_resource_excl"), session.begin_nested():
            session.execute(insert(BookingLine), [{**row, "id": new_id()}])

    def test_of_two_at_once(self, shop, room):
        barrier, found = threading.Barrier(2), []

        def send():
            try:
                with shop.work() as session:
                    barrier.wait(5)
                    book(session, shop, room)
                found.append("booked")
            except InvalidInput as error:
                found.append(error.fields["resource_id"][0])

        threads = [threading.Thread(target=send) for _number in range(2)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(20)
        assert sorted(text[:6] for text in found) == ["booked", "“Lift "]
        with shop.work() as session:
            assert len(session.execute(select(Booking.id)).all()) == 1


class TestRules:
    def test_bad_times_name_the_field(self, shop, room, session):
        assert list(refused(session, values(shop, room, "10:00", "09:00"))) == ["to_at"]
        yesterday = {"from_at": at(shop, "10:00", -1), "to_at": at(shop, "11:00", -1)}
        assert list(refused(session, {**values(shop, room), **yesterday})) == ["from_at"]
        spring = {"from_at": "2027-03-28T01:30", "to_at": "2027-03-28T03:00"}
        assert list(refused(session, {**values(shop, room), **spring})) == ["from_at"]

    def test_autumn_keeps_the_length(self, shop, room, session):
        made = book(session, shop, room, from_at="2027-10-31T00:30", to_at="2027-10-31T02:30")
        assert made.to_at - made.from_at == dt.timedelta(hours=3)

    def test_closed_off_and_out_of_service(self, shop, room, session):
        hours = service_for("calendars", session).create({"name": "Lift", "monday": "9-17"})
        ResourceService(session).update(room, {"calendar_id": str(hours.id)})
        monday = day_of(shop) + dt.timedelta(days=(7 - day_of(shop).weekday()) % 7)
        given = {"resource_id": room, "from_at": f"{monday}T18:00", "to_at": f"{monday}T18:30"}
        assert "not open" in refused(session, given)["from_at"][0]
        given.update(from_at=f"{monday}T10:00", to_at=f"{monday}T10:30")
        closure = BookingService(session).create(
            {**given, "closure": "1", "from_at": f"{monday}T08:00", "to_at": f"{monday}T12:00"}
        )
        assert "out of service" in refused(session, given)["resource_id"][0]
        with pytest.raises(Conflict):
            BookingService(session).step(closure.id, "out")
        BookingService(session).step(closure.id, "cancelled")
        BookingService(session).create(given)
        ResourceService(session).update(room, {"active": "0"})
        assert list(
            refused(session, {**given, "from_at": f"{monday}T12:00", "to_at": f"{monday}T13:00"})
        ) == ["resource_id"]

    def test_steps(self, shop, room, session):
        made = book(session, shop, room)
        service = BookingService(session)
        with pytest.raises(Conflict):
            service.step(made.id, "back")
        assert service.step(made.id, "out").out_at is not None
        assert service.step(made.id, "back").back_at is not None
        with pytest.raises(Conflict):
            service.step(made.id, "cancelled")


class TestPages:
    def test_dialog_keeps_what_was_typed(self, shop, room):
        client = shop.client()
        form = values(shop, room, stay="1")
        assert client.post("/bookings/new", data=form, headers=HTMX).status_code == 204
        answer = client.post("/bookings/new", data={**form, "name": "Brakes"}, headers=HTMX)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 422
        for part in ("is taken", 'value="Brakes"', at(shop, "10:00"), "Lift 1"):
            assert part in text

    def test_board_steps_and_undo(self, shop, room):
        client = shop.client()
        client.post("/bookings/new", data=values(shop, room), headers=HTMX)
        board = f"/bookings/board?day={day_of(shop)}"
        with count_queries() as statements:
            text = client.get(board).get_data(as_text=True)
        assert len(statements) <= 7, "\n".join(statements.texts)
        for part in ("Lift 1", "10:00–10:30", "Oil change", "Free 08:00–09:45"):
            assert part in text
        assert client.get(f"{board}&resource={room}").get_data(as_text=True).count("Free 08:00") == 7
        with shop.work() as session:
            booking_id = session.execute(select(Booking.id)).scalar_one()
        assert "Hand out" in client.get(f"/bookings/{booking_id}").get_data(as_text=True)
        answer = client.post(f"/bookings/{booking_id}/step/cancelled", headers=HTMX)
        assert answer.status_code == 204
        assert "Oil change" not in client.get(board).get_data(as_text=True)
        with shop.work() as session:
            batch = service_batch(session, booking_id)
            undo.undo_batch(session, batch)
        assert "Oil change" in client.get(board).get_data(as_text=True)
        for query in ("day=yesterday", "day=9999-12-31", "after=x", "resource=x"):
            assert client.get(f"/bookings/board?{query}").status_code == 200
        assert client.post(f"/bookings/{booking_id}/step/lost").status_code == 404

    def test_cards(self, shop, room):
        with shop.work() as session:
            customer = service_for("customers", session).create({"name": "Anna Lind"}).id
            book(session, shop, room, customer_id=str(customer))
        client = shop.client()
        assert f"/bookings/of/customers/{customer}" in client.get(f"/customers/{customer}").get_data(
            as_text=True
        )
        assert "Oil change" in client.get(f"/bookings/of/customers/{customer}").get_data(as_text=True)

    def test_rights_and_foreign_firms(self, shop, other_shop, room):
        with shop.work() as session:
            booking_id = book(session, shop, room).id
        viewer = shop.client(shop.member("viewer"))
        text = viewer.get(f"/bookings/board?day={day_of(shop)}").get_data(as_text=True)
        assert "Oil change" in text
        assert "/bookings/new" not in text
        assert viewer.post("/bookings/new", data=values(shop, room)).status_code == 403
        assert viewer.post(f"/bookings/{booking_id}/step/out").status_code == 403
        member = shop.client(shop.member("member"))
        assert member.post("/resources/new", data={"name": "X", "kind": "X"}).status_code == 403
        stranger = other_shop.client()
        assert stranger.get(f"/bookings/board?resource={room}").status_code == 404
        assert "Lift 1" not in stranger.get("/bookings/board").get_data(as_text=True)
        assert stranger.post(f"/bookings/{booking_id}/step/out").status_code == 404
        assert stranger.post("/bookings/new", data=values(shop, room)).status_code == 422


def service_batch(session, record_id):
    from kehu.core.audit import AuditEntry

    statement = select(AuditEntry.batch_id).where(AuditEntry.record_id == record_id)
    return session.execute(statement.order_by(AuditEntry.id.desc()).limit(1)).scalar_one()
