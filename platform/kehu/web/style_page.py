"""The living style page: every component with made-up data, in development only."""

from datetime import timedelta

from flask import Blueprint, Response, abort, make_response, request

from kehu.core import clock
from kehu.web.access import public
from kehu.web.charts import Chart, Series
from kehu.web.render import render_page
from kehu.web.toasts import toast

blueprint = Blueprint("style", __name__, url_prefix="/style")

STATES = [
    ("customer", "Customer", "ok"),
    ("lead", "Lead", "info"),
    ("active", "Active", "warn"),
    ("dormant", "Dormant", ""),
]
PEOPLE = [
    "Dmitri Park",
    "Hugo Lindqvist",
    "Priya Moretti",
    "Marcus Adler",
    "张伟",
    "Grace Bauer",
    "Nadia Reid",
    "Felix Okafor",
    "Amara Haddad",
    "Hana Costa",
    "Ольга Смирнова",
    "Liam Moretti",
]
FIRMS = [
    "Northwind Joinery",
    "Ferry Lane Bakery",
    "Paper Crane Studio",
    "上海明德贸易",
    "Kestrel Cycles",
    "臺北光點設計",
    "Самара Логистик",
    "Tidewater Marine",
]
OWNERS = ["Kai Jensen", "Lena Fox", "Dev Patel", "Mira Sol"]
STAGES = [
    ("new", "New", 1),
    ("qualified", "Qualified", 3),
    ("proposal", "Proposal sent", 6),
    ("negotiation", "Negotiation", 2),
    ("won", "Won", 5),
]
STEPS = [
    ("Call tomorrow", ""),
    ("Demo on Thursday", ""),
    ("No next step", "warn"),
    ("Send revised quote", "bad"),
]
TITLES = ["Bulk order", "Annual service plan", "Spring campaign", "Training days", "Maintenance contract"]


def people(count: int) -> list[dict[str, object]]:
    """Make rows for the sample list."""
    rows = []
    for at in range(count):
        name = PEOPLE[at * 7 % len(PEOPLE)]
        _, state, tone = STATES[at * 5 % len(STATES)]
        rows.append(
            {
                "id": at + 1,
                "name": name,
                "mail": f"contact{at}@example.com",
                "firm": FIRMS[at * 3 % len(FIRMS)],
                "state": state,
                "tone": tone,
                "owner": OWNERS[at % 4],
                "value": None if at % 5 == 0 else 45000 * (at % 9 + 1),
                "when": clock.now() - timedelta(hours=7 * at),
                "tags": ["Wholesale", "VIP"][: at % 3],
            }
        )
    return rows


def board() -> list[dict[str, object]]:
    """Make columns for the sample board."""
    columns = []
    for at, (key, name, hue) in enumerate(STAGES):
        cards = [
            {
                "id": f"{key}-{card}",
                "title": TITLES[(at + card) % 5],
                "firm": FIRMS[(at * 3 + card) % 8],
                "value": 145000 * ((at + card) % 7 + 1),
                "step": STEPS[(at + card) % 4],
                "owner": OWNERS[(at + card) % 4],
            }
            for card in range(9 - at)
        ]
        total = sum(145000 * ((at + card) % 7 + 1) for card in range(9 - at))
        columns.append({"id": key, "name": name, "hue": hue, "cards": cards, "total": total})
    return columns


def sample_chart(kind: str = "line") -> Chart:
    """Make a chart of twelve months."""
    months = ["Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
    now = [18000, 17000, 21500, 25000, 24000, 27500, 26500, 30000, 29500, 34000, 36800, 31200]
    past = [15000, 15500, 17000, 19000, 21000, 20500, 22000, 23500, 24000, 25000, 27500, 29000]
    return Chart(
        "Revenue won",
        months,
        [Series("This year", now), Series("The year before", past, before=True)],
        "By month, against the year before",
        kind=kind,
        label_title="Month",
        write=lambda value: f"£{value:,.0f}",
    )


@blueprint.get("/", defaults={"page": "index"})
@blueprint.get("/<page>")
@public
def show(page: str) -> Response:
    """Show the style page or one of its sample pages."""
    if page not in {"index", "list", "board", "record", "ticket", "home", "auth", "public"}:
        abort(404)
    return render_page(
        f"kehu/style/{page}.html",
        {"list": "list"},
        people=people(50),
        columns=board(),
        chart=sample_chart(),
        bars=sample_chart("bar"),
        now=clock.now(),
        picked=request.args.to_dict(),
    )


@blueprint.post("/toast")
@public
def say() -> Response:
    """Answer with a sample toast."""
    toast("Moved Shop fit-out to Negotiation", undo_url="/style/undo")
    return make_response("", 204)


@blueprint.post("/undo")
@public
def undo() -> Response:
    """Take the sample change back."""
    toast("Taken back")
    return make_response("", 204)


@blueprint.get("/dialog")
@public
def dialog() -> Response:
    """Answer with a sample dialog."""
    return render_page("kehu/style/dialog.html")


@blueprint.post("/dialog")
@public
def dialog_sent() -> Response:
    """Accept the sample dialog, or show what is wrong."""
    if not request.form.get("name", "").strip():
        return render_page("kehu/style/dialog.html", status=422, error="Give the deal a name.")
    toast("Created " + request.form["name"])
    return make_response("", 204, {"HX-Trigger": "kehu:close"})


@blueprint.get("/edit")
@public
def edit() -> Response:
    """Answer with a sample editor."""
    return render_page("kehu/style/edit.html")


@blueprint.post("/edit")
@public
def edited() -> Response:
    """Answer with the edited fact."""
    return render_page("kehu/style/edited.html", value=request.form.get("phone", ""))


@blueprint.get("/options")
@public
def options() -> Response:
    """Answer a look-up."""
    wanted = request.args.get("q", "").casefold()
    return render_page(
        "kehu/style/options.html", found=[name for name in FIRMS if wanted in name.casefold()], q=wanted
    )


@blueprint.post("/deals/<card>/move")
@public
def move(card: str) -> Response:
    """Accept a move on the sample board, but refuse the stage “Won”."""
    if request.form.get("stage") == "won":
        return make_response({"title": "A deal without a value cannot be won. Fill in its value first."}, 422)
    return make_response({"version": 2})
