"""Address names: the part of the host name by which a tenant is reached."""

from __future__ import annotations

import re
import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.core import clock
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.search_terms import latin
from tenants.domains.models import OldAddress
from tenants.models import Tenant

SHORTEST, LONGEST = 3, 40

_RESERVED = """
about abuse account accounts admin administrator api app apps assets auth autoconfig autodiscover billing blog
careers cdn chat cms community connect console contact control customer customers dashboard data demo dev developer
developers dns docs domain download email enterprise events example feedback files forum ftp git grafana guest help
helpdesk host hostmaster hub id imap images info internal intranet invite invoice jobs kehu legal localhost log
login logout mail media metrics mobile monitor mta mx my news newsletter noreply ns ns1 ns2 office operator owner
partner partners pay payment payments ping plugin plugins policy pop pop3 portal postmaster press preview pricing
privacy prod production proxy public register root sales sandbox search secure security server service settings
shop signin signup site smtp ssl sso staff staging static stats status store support system team tenant tenants
terms test testing tls tools tracking upload user users vpn web webhook webhooks webmail webmaster wiki www www1
www2 xn
"""

RESERVED = frozenset(_RESERVED.split())
"""Names that people would take for ours, or that mail and name servers use."""

_SHAPE = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def check(value: str) -> str:
    """Return an address name as it is kept.

    :raises InvalidInput: for the field "address".
    """
    value = value.strip().lower()
    message = ""
    if not SHORTEST <= len(value) <= LONGEST:
        message = _("Use %(least)s to %(most)s characters.", least=SHORTEST, most=LONGEST)
    elif not _SHAPE.fullmatch(value) or "--" in value:
        message = _("Use small letters a to z, digits and single hyphens between them.")
    elif value in RESERVED:
        message = _("This address is kept for the service. Choose another one.")
    if message:
        raise refusal(message)
    return value


def refusal(message: str) -> InvalidInput:
    """Return an error for the field of the address."""
    return InvalidInput(message, fields={"address": [message]})


def taken(address: str) -> InvalidInput:
    """Return the error for an address that another firm has."""
    return refusal(_("The address “%(address)s” is taken. Choose another one.", address=address))


def is_free(session: Session, address: str, *, but_for: uuid.UUID | None = None) -> bool:
    """Tell whether a firm may have an address: no other has it, or had it within the last 90 days.

    :param but_for: a firm whose own old address is free for itself.
    """
    if session.execute(
        select(Tenant.id).where(Tenant.address == address, Tenant.id.is_distinct_from(but_for))
    ).first():
        return False
    kept = select(OldAddress.firm_id).where(OldAddress.address == address, OldAddress.until > clock.now())
    holder = session.execute(kept).scalar_one_or_none()
    return holder is None or holder == but_for


def hold(session: Session, address: str) -> None:
    """Let nobody else give or leave this address until the transaction ends; then look whether it is free."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"address:{address}", 0))))


def from_name(name: str) -> str:
    """Return an address name made from a firm's name, in Latin letters whatever its script."""
    slug = re.sub(
        r"[^a-z0-9]+", "-", latin(name).replace(".", "").replace("&", " ").replace("'", "").replace("’", "")
    ).strip("-")
    slug = slug[: LONGEST - 4].strip("-")
    if len(slug) < SHORTEST:
        slug = f"firm-{slug}".strip("-")
    return f"{slug}-crm" if slug in RESERVED else slug


def proposals(name: str) -> list[str]:
    """Return addresses for a firm's name, best first; later ones are for firms of the same name."""
    stem = from_name(name)
    return [stem, *(f"{stem}-{number}" for number in range(2, 100))]


def propose(session: Session, name: str) -> str:
    """Return the best free address for a firm's name."""
    wanted = proposals(name)
    used = set(session.execute(select(Tenant.address).where(Tenant.address.in_(wanted))).scalars())
    kept = select(OldAddress.address).where(OldAddress.address.in_(wanted), OldAddress.until > clock.now())
    used |= set(session.execute(kept).scalars())
    return next(
        (address for address in wanted if address not in used), f"{wanted[0][:20]}-{len(used) * 7919}"
    )
