"""The blueprint that plugins use: everything in it stays under the plugin's own path and name."""

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from flask import Blueprint, Flask

PREFIX: Final = "/x/"
"""Pages of a plugin lie under this and its slug."""

ACCESS: Final = "kehu_access"
"""Attribute of a view that says who may open it: a permission's code, or `VISITOR`."""

VISITOR: Final = "visitor"
"""Anybody at the firm's own address; the manifest must name the capability `public_routes`."""

PUBLIC_ROUTES: Final = "public_routes"

_APP_WIDE: Final = (
    "add_app_template_filter",
    "add_app_template_global",
    "add_app_template_test",
    "after_app_request",
    "app_context_processor",
    "app_errorhandler",
    "app_template_filter",
    "app_template_global",
    "app_template_test",
    "app_url_defaults",
    "app_url_value_preprocessor",
    "before_app_request",
    "teardown_app_request",
)


class BlueprintError(ValueError):
    """Raised when a plugin's blueprint reaches beyond the plugin."""


def _forbid(name: str) -> Any:
    def forbidden(self: Blueprint, *args: object, **options: object) -> NoReturn:
        raise BlueprintError(
            f"{name}() acts on the pages of every tenant. A plugin uses the form without 'app' in its name, "
            "which acts on its own pages."
        )

    forbidden.__name__ = name
    forbidden.__doc__ = "Refuse: it would act on the whole application."
    return forbidden


class PluginBlueprint(Blueprint):
    """A Flask blueprint without the methods that act on the whole application."""

    for _name in _APP_WIDE:
        locals()[_name] = _forbid(_name)
    del _name


def _callbacks(app: Flask) -> dict[str, object]:
    """Return a picture of everything a blueprint could add to the application as a whole."""
    scoped: Mapping[str, Mapping[Any, Any]] = {
        "before_request": app.before_request_funcs,
        "after_request": app.after_request_funcs,
        "teardown_request": app.teardown_request_funcs,
        "context processor": app.template_context_processors,
        "error handler": app.error_handler_spec,
        "url_defaults": app.url_default_functions,
        "url_value_preprocessor": app.url_value_preprocessors,
    }
    picture: dict[str, object] = {kind: repr(entries.get(None)) for kind, entries in scoped.items()}
    picture["teardown_appcontext"] = len(app.teardown_appcontext_funcs)
    picture["command"] = sorted(app.cli.commands)
    picture["extension"] = sorted(app.extensions)
    picture["setting"] = dict(app.config)
    environment = app.jinja_env
    picture["template filter"] = dict(environment.filters)
    picture["template test"] = dict(environment.tests)
    picture["template global"] = dict(environment.globals)
    return picture


def _check_names(slug: str, blueprint: PluginBlueprint) -> None:
    if blueprint.name != slug and not blueprint.name.startswith(f"{slug}_"):
        raise BlueprintError(f'The blueprint is named {blueprint.name!r}. Name it "{slug}" or "{slug}_…".')
    if blueprint.subdomain is not None:
        raise BlueprintError(
            "The blueprint asks for a sub-domain. Those belong to tenants; leave subdomain out."
        )
    loader = blueprint.jinja_loader
    stray = [name for name in (loader.list_templates() if loader else ()) if not name.startswith(f"{slug}/")]
    if stray:
        raise BlueprintError(
            f"The template {stray[0]!r} lies outside the plugin's own folder. Move it into {slug}/."
        )


def access_of(view: Any) -> str:
    """Return what a view asks for, whether it is a function or a class with one method each; else nothing."""
    return str(getattr(view, ACCESS, None) or getattr(getattr(view, "view_class", None), ACCESS, None) or "")


def _check_access(views: Mapping[str, Any], public: bool) -> None:
    for endpoint, view in views.items():
        access = access_of(view)
        if not access and not endpoint.endswith(".static"):
            raise BlueprintError(
                f"The page {endpoint!r} does not say who may open it. Put @needs(permission) below its route."
            )
        if access == VISITOR and not public:
            raise BlueprintError(
                f"The page {endpoint!r} is open to visitors. Name {PUBLIC_ROUTES!r} among the capabilities in "
                "plugin.toml, or put @needs(permission) below its route."
            )


def check_blueprint(slug: str, blueprint: PluginBlueprint, *, public: bool = False) -> None:
    """Register a plugin's blueprint on a scratch application and look at what it did there.

    :param public: whether the plugin may have pages for visitors.
    :raises BlueprintError: when a name or address lies outside the plugin, or the blueprint changed the
        application as a whole.
    """
    _check_names(slug, blueprint)
    scratch = Flask(__name__, static_folder=None)
    before = _callbacks(scratch)
    _mount(scratch, slug, blueprint)
    after = _callbacks(scratch)
    changed = [kind for kind, entries in after.items() if entries != before[kind]]
    if changed:
        raise BlueprintError(f"The blueprint added an app-wide {changed[0]}. Keep it on the blueprint.")
    home = f"{PREFIX}{slug}/"
    outside = [rule.rule for rule in scratch.url_map.iter_rules() if not rule.rule.startswith(home)]
    if outside:
        raise BlueprintError(f"The address {outside[0]!r} lies outside {home}. Begin each rule with a slash.")
    _check_access(scratch.view_functions, public)


def register_blueprint(app: Flask, slug: str, blueprint: PluginBlueprint, *, public: bool = False) -> None:
    """Put a plugin's blueprint under `/x/<slug>/`, after it has been looked at.

    :param public: whether the plugin may have pages for visitors.
    :raises BlueprintError: when it reaches beyond the plugin; the application is untouched then.
    """
    check_blueprint(slug, blueprint, public=public)
    _mount(app, slug, blueprint)


def _mount(app: Flask, slug: str, blueprint: PluginBlueprint) -> None:
    app.register_blueprint(blueprint, url_prefix=f"{PREFIX}{slug}{blueprint.url_prefix or ''}")
