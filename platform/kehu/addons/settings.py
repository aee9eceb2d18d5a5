"""Settings of a plugin in a tenant: declared by the plugin, kept in its row here, secrets encrypted."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.addons.models import TenantPlugin
from kehu.core import audit, context, hooks
from kehu.core.errors import Conflict, InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.records.fields import Field, FieldError, LoadContext
from kehu.core.records.kinds import KINDS
from plugins.host import PluginHost
from plugins.results import SettingsSchema

KEPT = "••••••••"
"""Stands in the form for a secret that is there and stays as it is."""


def join(host: PluginHost) -> None:
    """Look at what plugins let admins set; what can't be used breaks its plugin."""
    for slug, schema in list(host.declarations.settings):
        try:
            _look_at(schema)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            host.refuse(slug, f"kehu_register_settings: {error}")


def _look_at(schema: SettingsSchema) -> None:
    keys = [field.key for field in schema.fields]
    unknown = sorted({*schema.secrets} - {*keys})
    if unknown or len({*keys}) < len(keys):
        raise ValueError(
            f"secrets name {unknown[0]!r}, which is no field."
            if unknown
            else "A key stands twice among the fields."
        )
    for field in schema.fields:
        if field.kind not in KINDS:
            raise ValueError(f"{field.key!r} has the kind {field.kind!r}; there are {', '.join(KINDS)}.")
        if field.default is None:
            continue
        try:
            value = KINDS[field.kind].load(_kept(field, field.default), field, LoadContext())
        except FieldError as error:
            raise ValueError(
                f"the default {field.default!r} of {field.key!r} can't be read: {error}"
            ) from error
        if value != field.default:
            raise ValueError(
                f"the default {field.default!r} of {field.key!r} is no {field.kind}; jobs would get it as it stands. "
                f"Write {value!r}."
            )
        if field.kind == "choice" and field.option(field.default) is None:
            known = ", ".join(repr(one.value) for one in field.choices())
            raise ValueError(
                f"the default {field.default!r} of {field.key!r} is none of its options: {known}."
            )


def schema_of(slug: str) -> SettingsSchema | None:
    """Return what a plugin lets admins set, or None."""
    return next((one for owner, one in hooks.host().declarations.settings if owner == slug), None)


def values(session: Session, slug: str) -> Mapping[str, Any]:
    """Return a plugin's settings in the present tenant: what was set, else the defaults; secrets in plain."""
    schema = schema_of(slug)
    if schema is None:
        return {}
    stored = _stored(session, slug)
    loading = _loading()
    found: dict[str, Any] = {}
    for field in schema.fields:
        raw = stored.get(field.key)
        if raw is None:
            found[field.key] = field.default
        elif field.key in schema.secrets:
            found[field.key] = reveal(raw)
        else:
            found[field.key] = _reloaded(field, raw, loading)
    return found


def _kept(field: Field, value: Any) -> Any:
    """Return a value as it is kept in the form that a kind reads: sums are whole minor units."""
    return {"minor": value} if field.kind == "money" else value


def _reloaded(field: Field, raw: Any, loading: LoadContext) -> Any:
    """Return a kept value, or the default when a newer version of the plugin can't read it any more."""
    try:
        return KINDS[field.kind].load(_kept(field, raw), field, loading)
    except FieldError:
        return field.default


def shown(session: Session, slug: str) -> dict[str, Any]:
    """Return the values for the form: a secret shows only that it is there."""
    schema = schema_of(slug)
    found = dict(values(session, slug))
    for key in schema.secrets if schema else ():
        found[key] = KEPT if found.get(key) else ""
    return found


def _loading() -> LoadContext:
    tenant = context.tenant()
    return LoadContext(country=tenant.country, currency=tenant.currency, zone=tenant.tz)


def _stored(session: Session, slug: str) -> Mapping[str, Any]:
    statement = select(TenantPlugin.settings).where(TenantPlugin.slug == slug)
    return session.execute(statement).scalar_one_or_none() or {}


def mark(session: Session, slug: str) -> str:
    """Return what stands for the settings as they are now; a form carries it, so that nobody is overwritten."""
    return _mark(_stored(session, slug))


def _mark(stored: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()[:16]


def save(session: Session, slug: str, raw: Mapping[str, Any], seen: str) -> bool:
    """Check and keep a plugin's settings; return whether anything changed.

    :param seen: the mark of the settings that the form showed.
    :raises Conflict: when somebody else changed them since.
    :raises InvalidInput: names each setting that is wrong.
    :raises NotFound: when the plugin has nothing to set or is not on here.
    """
    context.actor().require("plugins:manage")
    schema = schema_of(slug)
    statement = select(TenantPlugin).where(TenantPlugin.slug == slug).with_for_update()
    row = session.execute(statement).scalar_one_or_none()
    if schema is None or row is None or slug not in hooks.enabled():
        raise NotFound(_("This plugin has no settings here."))
    before = dict(row.settings or {})
    after = _checked(schema, raw, before)
    if seen != _mark(before):
        raise Conflict(
            _("Somebody else has changed these settings meanwhile. Nothing was kept; compare and save again.")
        )
    if after == before:
        return False
    row.settings = after
    audit.write(
        session,
        object="plugins",
        record_id=context.tenant().id,
        action="updated",
        title=slug,
        changes={
            key: [None, None] if key in schema.secrets else [before.get(key), after.get(key)]
            for key in sorted({*before, *after})
            if before.get(key) != after.get(key)
        },
    )
    return True


def _checked(schema: SettingsSchema, raw: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    errors: dict[str, list[str]] = {}
    after: dict[str, Any] = {}
    for field in schema.fields:
        written = raw.get(field.key)
        secret = field.key in schema.secrets
        if secret and written == KEPT:
            after[field.key] = before.get(field.key)
            continue
        try:
            value = _loaded(field, written)
        except FieldError as error:
            errors[field.key] = [str(error)]
            continue
        if value is not None:
            after[field.key] = conceal(value) if secret else KINDS[field.kind].dump(value)
    if errors:
        raise InvalidInput(_("Some settings need another value."), fields=errors)
    return {key: value for key, value in after.items() if value is not None}


def _loaded(field: Field, written: Any) -> Any:
    if written is None or (isinstance(written, str) and not written.strip()):
        if field.required:
            raise FieldError(_("%(label)s is needed.", label=field.label))
        return None
    value = KINDS[field.kind].load(written, field, _loading())
    if field.kind == "choice" and field.option(value) is None:
        raise FieldError(_("Choose one from the list."))
    return value


def _cipher() -> Fernet:
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"kehu plugin settings" + secret).digest()))


def conceal(value: str) -> str:
    """Return a secret as it is kept."""
    return _cipher().encrypt(value.encode()).decode()


def reveal(kept: str) -> str | None:
    """Return a secret in plain, or None when it was kept under another key of the installation."""
    try:
        return _cipher().decrypt(kept.encode()).decode()
    except (InvalidToken, ValueError):
        return None
