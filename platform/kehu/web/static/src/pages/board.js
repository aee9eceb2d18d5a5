/* The board: drag between columns, arrows and a menu beside it; the card is put back when the move is refused. */
(() => {
  const K = window.Kehu;
  const cards = (list) => K.all("[data-card]", list);
  const column = (card) => card.closest("[data-stage]");
  const above = (card) => {
    let one = card.previousElementSibling;
    while (one && !one.dataset.card) one = one.previousElementSibling;
    return one?.dataset.card || "";
  };
  const spot = (card) => ({ stage: column(card).dataset.stage, after: above(card) });
  const same = (one, two) => one.stage === two.stage && one.after === two.after;
  const put = (card, to) => {
    const list = K.find(`[data-stage="${CSS.escape(to.stage)}"] [data-cards]`), before = to.after && list.querySelector(`[data-card="${CSS.escape(to.after)}"]`);
    if (before) before.after(card); else list.prepend(card);
    count();
  };
  const count = () => K.all("[data-stage]").forEach((box) => { box.querySelector("[data-stage-count]").textContent = (cards(box).length + (Number(box.querySelector("[data-more]")?.dataset.more) || 0)).toLocaleString(document.documentElement.lang); });
  const totals = (columns) => { for (const [stage, values] of Object.entries(columns || {})) {
    const box = K.find(`[data-stage="${CSS.escape(stage)}"]`);
    if (!box) continue;
    if (values.count != null) box.querySelector("[data-stage-count]").textContent = values.count;
    const total = box.querySelector("[data-stage-total]");
    if (values.total != null) total.textContent = values.total;
    if (values.tip != null) total.title = values.tip;
  } };
  /* The card already stands where it shall go; tell the server, and take it back on a refusal. */
  const save = async (card, from) => {
    const to = spot(card), box = column(card);
    if (same(from, to)) return;
    count();
    if (box.dataset.reasonUrl && from.stage !== to.stage) { ask(card, from, to, box.dataset.reasonUrl); return; }
    card.setAttribute("aria-busy", "true");
    try {
      const answer = await K.send("POST", card.dataset.moveUrl, { ...to, version: card.dataset.version });
      if (!answer.ok) throw answer;
      const body = await answer.json();
      if (body.version) card.dataset.version = body.version;
      totals(body.columns);
    } catch (problem) {
      const body = await problem.clone?.().json().catch(() => null), now = body?.card;
      put(card, now ? { stage: now.stage, after: now.after } : from);
      if (now) card.dataset.version = now.version;
      /* Somebody else was first: the card stands where he put it, marked until it is looked at. */
      if (now && now.stage !== from.stage) card.setAttribute("data-version-conflict", "");
      K.explain(problem);
    } finally { card.removeAttribute("aria-busy"); }
  };
  /* A stage that needs an answer (why lost) asks at the drop; leaving the dialog puts the card back. */
  const ask = (card, from, to, url) => {
    const id = card.id, query = new URLSearchParams({ card: card.dataset.card, ...to, version: card.dataset.version });
    let sent = false;
    const done = () => { sent = true; };
    document.addEventListener("kehu:close", done, { once: true });
    document.addEventListener("kehu:closed", () => {
      document.removeEventListener("kehu:close", done);
      const now = document.getElementById(id);
      if (!sent && now) put(now, from); else K.refresh();
    }, { once: true });
    htmx.ajax("GET", `${url}${url.includes("?") ? "&" : "?"}${query}`, { target: "#dialog", swap: "innerHTML" });
  };
  const move = (card, to) => {
    if ("fixed" in card.dataset) return;
    const from = spot(card);
    put(card, to);
    focus(card);
    save(card, from);
  };
  const focus = (card) => { card?.querySelector("[data-row-link]")?.focus({ preventScroll: true }); card?.scrollIntoView({ block: "nearest", inline: "nearest" }); };
  const neighbour = (card, x, y) => {
    const boxes = K.all("[data-stage]"), at = boxes.indexOf(column(card)), list = cards(column(card)), place = list.indexOf(card);
    if (y) return list[place + y];
    for (let next = at + x; boxes[next]; next += x) { const found = cards(boxes[next]); if (found.length) return found[Math.min(place, found.length - 1)]; }
    return undefined;
  };
  const shift = (card, x, y) => {
    if ("fixed" in card.dataset) return;
    const boxes = K.all("[data-stage]"), at = boxes.indexOf(column(card)), list = cards(column(card)), place = list.indexOf(card);
    if (x) { const next = boxes[at + x]; if (next) move(card, { stage: next.dataset.stage, after: cards(next)[Math.min(place, cards(next).length) - 1]?.dataset.card || "" }); return; }
    const after = list[y > 0 ? place + 1 : place - 2];
    if (y > 0 ? list[place + 1] : place > 0) move(card, { stage: boxes[at].dataset.stage, after: after?.dataset.card || "" });
  };
  K.on("keydown", "[data-board]", (e) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key], card = e.target.closest("[data-card]");
    if (e.target.closest("[role=menu]") || e.ctrlKey || e.metaKey || e.altKey) return;
    if (card && !("fixed" in card.dataset) && e.key.toLowerCase() === "s" && !e.shiftKey && K.single()) { e.preventDefault(); e.stopPropagation(); menu(card); return; }
    if (!steps || !card) return;
    e.preventDefault();
    e.stopPropagation();
    if (e.shiftKey) shift(card, ...steps); else focus(neighbour(card, ...steps));
  });
  K.on("keydown", "body", (e) => {
    if (e.target !== document.body && e.target.id !== "main") return;
    if (/^Arrow/.test(e.key) && K.find("[data-board]") && !e.shiftKey) { const first = K.find("[data-card]"); if (first) { e.preventDefault(); focus(first); } }
  });
  /* The stages as a menu, for keyboards and for hands that cannot drag. */
  const menu = (card) => {
    K.find("#stage-menu")?.remove();
    const id = card.id, button = card.querySelector("[data-stage-menu]");
    if (!button) return;
    const box = K.make("div", { id: "stage-menu", class: "k-menu", popover: "auto", role: "menu", "aria-label": K.label(button) });
    for (const stage of K.all("[data-stage]")) {
      const item = K.make("button", { type: "button", role: "menuitem", "aria-current": stage === column(card) && "true" }, K.make("span", {}, stage.querySelector("h2").textContent));
      item.prepend(stage.querySelector(".k-dot").cloneNode());
      item.addEventListener("click", () => { const now = document.getElementById(id); if (now) move(now, { stage: stage.dataset.stage, after: "" }); });
      box.append(item);
    }
    K.all("[data-menu=stage-menu]").forEach((other) => other.removeAttribute("data-menu"));
    button.setAttribute("data-menu", "stage-menu");
    card.closest("[data-board]").after(box);
    box.showPopover();
  };
  K.on("click", "[data-stage-menu]", (e, button) => { e.preventDefault(); menu(button.closest("[data-card]")); });
  const over = (list) => K.all("[data-stage]").forEach((box) => box.toggleAttribute("data-over", !!list && box.contains(list)));
  K.ready(() => {
    for (const list of K.all("[data-board] [data-cards]:not([data-sortable])")) {
      list.dataset.sortable = "1";
      Sortable.create(list, {
        group: "deals", animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 130, draggable: "[data-card]:not([data-fixed])", filter: "[data-stage-menu]", preventOnFilter: false,
        ghostClass: "k-drag-ghost", dragClass: "k-drag", forceFallback: true, fallbackTolerance: 4, fallbackOnBody: false, delay: 180, delayOnTouchOnly: true, scrollSensitivity: 60, bubbleScroll: true,
        onStart: (e) => { const { stage } = e.from.closest("[data-stage]").dataset, after = above(e.item); e.item.dataset.from = JSON.stringify({ stage, after }); },
        onChange: (e) => over(e.to),
        onEnd: (e) => { over(null); const from = JSON.parse(e.item.dataset.from); delete e.item.dataset.from; save(e.item, from); },
      });
    }
  });
})();
