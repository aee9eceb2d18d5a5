"""Where templates come from: each feature's own folder, the frame, and plugins under their own prefix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flask import Flask
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined

ROOT = Path(__file__).parents[1]


def init_templates(app: Flask, features: Sequence[str]) -> None:
    """Look for templates in the frame first, then in each feature's `templates` folder."""
    folders = [ROOT / name / "templates" for name in ("web", *features)]
    app.jinja_loader = ChoiceLoader([FileSystemLoader([folder for folder in folders if folder.is_dir()])])
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.add_extension("jinja2.ext.do")
