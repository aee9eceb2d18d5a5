/* Lists: the active row, the selection that survives paging, the bulk bar, the preview. */
(() => {
  const K = window.Kehu;
  const list = () => K.all("[data-list]").find((box) => box.offsetParent !== null);
  const rows = (box) => K.all("[data-row]", box);
  const active = (box) => box?.querySelector("[data-row][data-active]");
  const read = (box) => { try { return JSON.parse(sessionStorage.getItem(K.store(`pick:${box.dataset.list}`))) || { ids: [] }; } catch { return { ids: [] }; } };
  const write = (box, picks) => { try { sessionStorage.setItem(K.store(`pick:${box.dataset.list}`), JSON.stringify(picks)); } catch { /* full or private: the selection lasts as long as the page */ } paint(box); };
  /* A long list is counted after it is shown. */
  const totalOf = (box) => Number(box.querySelector("[data-total-count]")?.dataset.totalCount || box.dataset.total) || 0;
  const paint = (box) => {
    const picks = read(box), chosen = new Set(picks.ids), shown = rows(box);
    let here = 0;
    for (const row of shown) {
      const on = picks.all || chosen.has(row.dataset.row);
      here += on;
      const mark = row.querySelector("[data-pick]");
      if (!mark) continue;
      mark.checked = on;
      row.setAttribute("aria-selected", String(on));
    }
    const head = box.querySelector("[data-pick-all]");
    if (head) { head.checked = here > 0 && here === shown.length; head.indeterminate = here > 0 && here < shown.length; }
    const bar = box.querySelector("[data-bulk]"), total = totalOf(box);
    if (!bar) return;
    const count = picks.all ? total : picks.ids.length;
    bar.hidden = !count;
    box.toggleAttribute("data-picking", count > 0);
    bar.querySelector("[data-bulk-count]").textContent = K.word("selected", count.toLocaleString(document.documentElement.lang));
    const every = bar.querySelector("[data-bulk-all]");
    every.hidden = picks.all || here < shown.length || total <= count;
    every.textContent = K.word("all", total.toLocaleString(document.documentElement.lang));
  };
  const pick = (box, ids, on) => {
    const picks = read(box), chosen = new Set(picks.all ? rows(box).map((row) => row.dataset.row) : picks.ids);
    for (const id of ids) on ? chosen.add(id) : chosen.delete(id);
    write(box, { ids: [...chosen] });
  };
  const activate = (box, row, scroll = true) => {
    active(box)?.removeAttribute("data-active");
    if (!row) return;
    row.setAttribute("data-active", "");
    if (scroll) row.scrollIntoView({ block: "nearest" });
    row.querySelector("[data-row-link]")?.focus({ preventScroll: true });
    if (K.find("#peek:not([hidden])")) peek(row);
  };
  K.ready(() => K.all("[data-list]").forEach(paint));
  K.pickActive = () => { const box = list(), row = active(box); if (row && !read(box).ids.length && !read(box).all) pick(box, [row.dataset.row], true); };
  K.clearPicks = () => { const box = list(); if (box) write(box, { ids: [] }); };
  K.on("click", "[data-pick]", (e, mark) => {
    const box = mark.closest("[data-list]"), shown = rows(box), at = shown.indexOf(mark.closest("[data-row]"));
    const from = e.shiftKey && box.dataset.last ? Number(box.dataset.last) : at;
    const [low, high] = [Math.min(from, at), Math.max(from, at)];
    pick(box, shown.slice(low, high + 1).map((row) => row.dataset.row), mark.checked);
    box.dataset.last = at;
  });
  K.on("change", "[data-pick-all]", (e, mark) => { const box = mark.closest("[data-list]"); pick(box, rows(box).map((row) => row.dataset.row), mark.checked); });
  K.on("click", "[data-bulk-clear]", () => K.clearPicks());
  K.on("click", "[data-bulk-all]", (e, button) => write(button.closest("[data-list]"), { ids: [], all: true }));
  K.on("click", "[data-row]", (e, row) => {
    if (e.target.closest("a,button,input,select,label,[data-edit-url]")) return;
    const box = row.closest("[data-list]");
    if (!box || getSelection().toString()) return;
    if (e.shiftKey || e.ctrlKey || e.metaKey) { row.querySelector("[data-pick]")?.click(); return; }
    activate(box, row, false);
    if (matchMedia("(max-width: 820px)").matches) row.querySelector("[data-row-link]")?.click();
  });
  const peek = (row) => {
    const link = row.querySelector("[data-row-link]"), box = K.find("#peek");
    if (!link || !box) return;
    box.hidden = false;
    htmx.ajax("GET", row.dataset.peekUrl || link.getAttribute("href"), { target: "#peek", swap: "innerHTML", select: "[data-peek], .k-pane-left" });
  };
  K.listKey = (e, key) => {
    const box = list();
    if (!box) return;
    const shown = rows(box), row = active(box), at = shown.indexOf(row);
    if (e.target.closest("button,summary") && (key === "enter" || key === "space")) return;
    const moves = { j: at + 1, k: at - 1 };
    if (key in moves) {
      if (moves[key] >= shown.length) box.querySelector("[data-next-page]")?.focus();
      activate(box, shown[Math.max(0, Math.min(shown.length - 1, moves[key]))]);
    } else if (!row) return;
    else if (key === "enter") { if (e.target.closest("a[href]")) return; row.querySelector("[data-row-link]")?.click(); }
    else if (key === "x") row.querySelector("[data-pick]")?.click();
    else if (key === "shift+x") { const mark = row.querySelector("[data-pick]"); mark?.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true, cancelable: true })); }
    else if (key === "space") { const shown = K.find("#peek:not([hidden])"); if (shown) K.escape(); else peek(row); }
    else if (key === "e") K.edit?.(row.querySelector("[data-edit-url]"));
    else { const action = row.querySelector(`[data-row-key="${CSS.escape(key)}"]`); if (!action) return; action.click(); }
    e.preventDefault();
  };
  /* Requests from the bulk bar carry the selection; a sent one clears it. */
  const bulk = (source) => source?.closest?.("[data-bulk], [data-bulk-form]");
  document.addEventListener("htmx:config:request", (e) => {
    const { ctx } = e.detail, box = list();
    if (!bulk(ctx.sourceElement) || !box) return;
    const picks = read(box), body = ctx.request.body;
    if (picks.all) { body.set("all", "1"); body.set("query", location.search.slice(1)); } else if (ctx.request.method !== "GET" || picks.ids.length <= 100) body.set("ids", picks.ids.join(","));
    body.set("count", picks.all ? totalOf(box) : picks.ids.length);
  });
  document.addEventListener("htmx:after:request", (e) => {
    const { ctx } = e.detail;
    if (bulk(ctx.sourceElement) && ctx.request.method !== "GET" && ctx.response.status < 400) K.clearPicks();
  });
  /* Sorting and paging morph the list and move the address. */
  K.on("click", "[data-list-link]", (e, link) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
    const box = link.closest("[data-list]");
    if (!box?.id) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    htmx.ajax("GET", link.getAttribute("href"), { target: `#${box.id}`, swap: "outerMorph", push: "true", headers: { "HX-Target": `div#${box.id}` } })
      .then(() => K.find(`#${box.id} .k-list-scroll`)?.scrollTo(0, 0));
  }, true);
})();
