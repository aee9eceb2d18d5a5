"""Render a page whole, or only the part of it that the browser asked for."""

import re
from typing import Any
from urllib.parse import unquote

from flask import Response, current_app, make_response, render_template, request
from markupsafe import Markup

from kehu.core.context import current

_HEADING = re.compile(r"<h2([^>]*)>(.*?)</h2>", re.DOTALL)
_DIALOG = '<h2 id="dialog-title"'
_MAIN = "<main "
VARY = ("HX-Request", "HX-Target", "HX-Request-Type")


class NoBlock(LookupError):
    """Raised for a block that a template does not have."""


def wanted_target() -> str:
    """Return the id of the element that a partial request will fill, or an empty text."""
    if request.headers.get("HX-Request") != "true" or request.headers.get("HX-Request-Type") != "partial":
        return ""
    return unquote(request.headers.get("HX-Target", "").partition("#")[2])


def render_block(template: str, block: str, **context: Any) -> str:
    """Render one block of a template, its own or one of its layout, with the globals of a page.

    :raises NoBlock: when there is none of this name.
    """
    current_app.update_template_context(context)
    found = current_app.jinja_env.get_template(template)
    scope = found.new_context(context)
    # Running the template up to its first output follows its layouts, so all blocks and imports are known.
    start = found.root_render_func(scope)
    next(start, None)
    start.close()  # type: ignore[attr-defined]
    if block not in scope.blocks:
        raise NoBlock(f"{template} has no block {block}")
    return "".join(scope.blocks[block][0](scope))


def render_page(
    template: str, fragments: dict[str, str] | None = None, status: int = 200, **context: Any
) -> Response:
    """Answer with the whole page, with its ``<main>`` for a boosted link, or with a named block.

    :param fragments: id of a target element to the block that draws it.
    """
    target = wanted_target()
    block = (fragments or {}).get(target) or ("page" if target == "main" else None)
    if block:
        try:
            text = render_block(template, block, partial=True, **context)
        except NoBlock:
            # What else stands in a dialog was opened by its address; the page around it is shown anew.
            text = as_page(render_template(template, partial=True, **context), partial=True)
        response = make_response(text, status)
    else:
        text = render_template(template, partial=False, **context)
        response = make_response(as_page(text) if _stands_alone(text) else text, status)
    response.vary.update(VARY)
    return response


def _stands_alone(text: str) -> bool:
    """Tell whether the text of a dialog would be all that a person sees."""
    return (
        _DIALOG in text
        and request.headers.get("HX-Request") != "true"
        and _MAIN not in text
        and current().actor is not None
    )


def as_page(dialog: str, *, partial: bool = False) -> str:
    """Put what else stands in a dialog into a page of its own, with its heading as the page's.

    :param partial: only the page's `<main>`.
    """
    found = _HEADING.search(dialog)
    content = _HEADING.sub(r"<h1\1>\2</h1>", dialog, count=1)
    title = Markup(found[2]) if found else ""  # noqa: S704 - a piece of a page that was escaped when drawn
    context = {"title": title, "content": Markup(content)}  # noqa: S704 - as above
    if partial:
        return render_block("kehu/bare.html", "page", partial=True, **context)
    return render_template("kehu/bare.html", partial=False, **context)
