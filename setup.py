"""Find the packages of both source roots; everything else is declared in setup.cfg."""

from setuptools import find_namespace_packages, find_packages, setup

ROOT_PACKAGES = ("tenants", "plugins", "plugins_builtin", "billing")

setup(
    packages=[
        *find_packages("platform", include=("kehu", "kehu.*")),
        *find_packages(".", include=[pattern for name in ROOT_PACKAGES for pattern in (name, f"{name}.*")]),
        # Alembic loads the revisions as files, so their folders carry no __init__.py.
        *find_namespace_packages(".", include=("migrations", "migrations.*")),
    ],
    # The composition root: gunicorn and `kehu serve` load it as `wsgi:app`.
    py_modules=["wsgi"],
)
