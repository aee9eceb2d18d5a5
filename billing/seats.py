"""Who holds a seat: one locked function for every way in, a counter that can't oversell, and a ledger.

Whoever lets somebody in locks the account first (`AccountService.lock`), so that all of a firm wait in one line. The
counter with its CHECK is the second wall, the unique address among those who hold a seat the third.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from billing import entitlements, facts, states
from billing.accounts import AccountService
from billing.models import Account, Seat, SeatEntry
from kehu.core import clock, context
from kehu.core.errors import Conflict
from kehu.core.i18n import _, _n
from kehu.core.ids import new_id
from kehu.members.models import Invitation, Member, Role
from kehu.members.roles import only_reads
from plugins.results import SeatCheck

HELD = ("reserved", "active")
"""States in which a seat is taken."""

_STATES = {"active": "active", "invited": "reserved", "parked": "parked"}


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A member as seats see them."""

    id: uuid.UUID
    name: str
    email_norm: str
    state: str
    kind: str
    reserved_until: dt.datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether this takes one of the seats that are paid for."""
        return self.state in HELD and self.kind == "full"


class SeatService:
    """Give seats of the present tenant to its members and take them back."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.accounts = AccountService(session)

    def check(self, way: str, *, viewer: bool = False) -> SeatCheck:
        """Tell whether somebody can be let in, with the account locked: nobody else lets in meanwhile.

        :param way: invite, resend, accept, unpark, widen (a role that writes instead of one that only reads), or
            narrow and park, which take nobody in.
        """
        account = self.locked()
        refusal = None
        if way != "park":
            refusal = self._refusal(
                account, viewer=viewer, own=way in ("accept", "resend"), inside=way == "narrow"
            )
        return SeatCheck(
            allowed=refusal is None, used=account.seats_used, limit=account.seats_cap, reason=refusal
        )

    def locked(self) -> Account:
        """Return the account, locked, with seats for all members and without reservations that have lapsed."""
        account = self.accounts.lock()
        self.lapse(account)
        return account

    def take_seat(self, member_id: uuid.UUID, way: str) -> Seat | None:
        """Bring a member's seat to what the member is now: reserved, active, parked or released.

        The one way to a seat, for whoever invites, joins, comes back from parking or gets a role that writes; a
        reservation turns into its own seat and is not counted twice.

        :raises Conflict: when there is no room, or the phase takes nobody in.
        """
        account = self.locked()
        holder = self._holder(member_id)
        seat = self.session.execute(select(Seat).where(Seat.member_id == member_id)).scalar_one_or_none()
        if holder is None:
            return seat
        stays = seat is not None and seat.state in HELD and seat.kind == holder.kind
        if holder.state in HELD and not (stays and seat is not None and seat.state == holder.state):
            narrows = seat is not None and seat.state == "active" and holder.kind == "viewer"
            refusal = self._refusal(account, viewer=holder.kind == "viewer", own=stays, inside=narrows)
            if refusal is not None:
                raise Conflict(str(refusal))
        return self._write(account, seat, holder, way)

    def lapse(self, account: Account) -> int:
        """Free the seats of invitations that nobody accepted in time, and return how many."""
        statement = select(Seat).where(Seat.state == "reserved", Seat.reserved_until <= clock.now())
        lapsed = list(self.session.execute(statement.limit(1000)).scalars())
        for seat in lapsed:
            self._free(account, seat)
        return len(lapsed)

    def _free(self, account: Account, seat: Seat) -> None:
        if seat.kind == "full":
            account.seats_used -= 1
        seat.state, seat.reserved_until = "released", None
        name = self.session.execute(select(Member.name).where(Member.id == seat.member_id)).scalar() or ""
        self._enter(account, seat.member_id, name, -1 if seat.kind == "full" else 0, "lapse")
        self._settle(account)

    def begin(self, account: Account) -> None:
        """Give everybody who is in the firm already a seat; a firm never begins with too few."""
        holders = [holder for holder in self._holders() if holder.state != "released"]
        counted = sum(holder.counts for holder in holders)
        account.seats_cap = max(account.seats_cap, counted)
        self.session.flush()  # The wall must stand where it will before the counter climbs.
        for holder in holders:
            self._write(account, None, holder, "begin")

    # --- how many seats there are ---------------------------------------------------------------------------

    def set_cap(self, account: Account, seats: int, reason: str) -> None:
        """Set how many may hold a seat. Fewer than hold one now sign nobody out: it is noted since when."""
        if seats == account.seats_cap:
            return
        before, account.seats_cap = account.seats_cap, seats
        if account.seats_used > seats and account.over_seat_since is None:
            account.over_seat_since = clock.now()
        self._settle(account)
        self._enter(account, None, f"{before} → {seats}", 0, reason)

    def may_reduce(self, account: Account, seats: int) -> None:
        """Refuse fewer seats than are taken: first somebody has to be parked.

        :raises Conflict: says how many.
        """
        more = account.seats_used - seats
        if more > 0:
            raise Conflict(
                _n(
                    "%(used)s seats are taken. Park %(num)s person first, then take fewer seats.",
                    "%(used)s seats are taken. Park %(num)s people first, then take fewer seats.",
                    more,
                    used=account.seats_used,
                )
            )

    def recount(self, account: Account) -> int:
        """Mend what differs between members and seats, and return how many rows that were."""
        mended = 0
        seats = {seat.member_id: seat for seat in self.session.execute(select(Seat).limit(20_000)).scalars()}
        for holder in self._holders():
            seat = seats.get(holder.id)
            state, kind = (seat.state, seat.kind) if seat is not None else ("released", holder.kind)
            if (state, kind) != (holder.state, holder.kind):
                self._put(seat, holder)
                self._enter(account, holder.id, holder.name, 0, "recount")
                mended += 1
        self.session.flush()  # They are counted by a statement.
        used = self.session.execute(
            select(func.count()).select_from(Seat).where(Seat.state.in_(HELD), Seat.kind == "full")
        ).scalar_one()
        if used != account.seats_used:
            account.seats_used = used
            mended += 1
        if account.seats_used > account.seats_cap and account.over_seat_since is None:
            account.over_seat_since = clock.now()
        self._settle(account)
        return mended

    # --- parts ----------------------------------------------------------------------------------------------

    def _refusal(self, account: Account, *, viewer: bool, own: bool, inside: bool) -> Any:
        """Return why nobody can be let in, or None.

        :param own: the seat is there already: a reservation becomes a member.
        :param inside: a member already, who gets a role that only reads.
        """
        found = facts.standing(context.tenant())
        if not found.access.invite and not inside:
            return states.refusal(found) or _("Nobody can be let in now.")
        if viewer:
            return None if own else self._viewer_refusal()
        if own:
            if account.seats_used <= account.seats_cap:
                return None
            return _("The firm has fewer seats now than people. Ask an admin of the firm.")
        if account.seats_used < account.seats_cap:
            return None
        return _n(
            "The %(num)s seat is taken. Add one under Settings, Plan and seats, or park somebody.",
            "All %(num)s seats are taken. Add one under Settings, Plan and seats, or park somebody.",
            account.seats_cap,
        )

    def _viewer_refusal(self) -> Any:
        grant = entitlements.grant(context.tenant(), "viewers")
        most = grant.value if grant is not None else 0
        now = self.session.execute(
            select(func.count()).select_from(Seat).where(Seat.state.in_(HELD), Seat.kind == "viewer")
        ).scalar_one()
        if now < most:
            return None
        return _n(
            "Your plan has room for %(num)s viewer. Park one, or give a role that writes.",
            "Your plan has room for %(num)s viewers. Park one, or give a role that writes.",
            most,
        )

    def _write(self, account: Account, seat: Seat | None, holder: Holder, way: str) -> Seat:
        before = int(bool(seat and seat.state in HELD and seat.kind == "full"))
        change = int(holder.counts) - before
        was = (seat.state, seat.kind) if seat is not None else None
        seat = self._put(seat, holder)
        if change > 0:
            seat.taken_at = clock.now()
        account.seats_used += change
        self._settle(account)
        if was != (seat.state, seat.kind):
            self._enter(account, holder.id, holder.name, change, way)
        return seat

    def _put(self, seat: Seat | None, holder: Holder) -> Seat:
        if seat is None:
            seat = Seat(id=new_id(), member_id=holder.id, taken_at=clock.now())
            self.session.add(seat)
        seat.email_norm = holder.email_norm
        seat.kind, seat.state, seat.reserved_until = holder.kind, holder.state, holder.reserved_until
        return seat

    def _settle(self, account: Account) -> None:
        if account.seats_used <= account.seats_cap:
            account.over_seat_since = None
        self.session.flush()  # Whoever comes next counts by statements; the walls speak now.

    def _enter(
        self, account: Account, member_id: uuid.UUID | None, name: str, change: int, reason: str
    ) -> None:
        who = context.current().actor
        self.session.add(
            SeatEntry(
                id=new_id(),
                at=clock.now(),
                member_id=member_id,
                name=name,
                change=change,
                used=account.seats_used,
                cap=account.seats_cap,
                reason=reason,
                by_id=who.member_id if who else None,
                by_name=who.name if who else "",
            )
        )

    def _holder(self, member_id: uuid.UUID) -> Holder | None:
        return next(iter(self._holders(member_id)), None)

    def _holders(self, only: uuid.UUID | None = None) -> list[Holder]:
        """Return members with the state that their seat should have."""
        until = (
            select(func.max(Invitation.expires_at))
            .where(
                Invitation.tenant_id == Member.tenant_id,
                Invitation.member_id == Member.id,
                Invitation.accepted_at.is_(None),
            )
            .scalar_subquery()
        )
        statement = select(
            Member.id,
            Member.name,
            Member.email_norm,
            Member.state,
            Member.deleted_at,
            Role.permissions,
            until.label("until"),
        ).join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        if only is not None:
            statement = statement.where(Member.id == only)
        return [self._as_holder(row) for row in self.session.execute(statement.limit(20_000))]

    @staticmethod
    def _as_holder(row: Any) -> Holder:
        state = _STATES.get(row.state, "released") if row.deleted_at is None else "released"
        until = row.until if state == "reserved" else None
        if state == "reserved" and (until is None or until <= clock.now()):
            state, until = "released", None
        return Holder(
            id=row.id,
            name=row.name,
            email_norm=row.email_norm,
            state=state,
            kind="viewer" if only_reads(row.permissions) else "full",
            reserved_until=until,
        )
