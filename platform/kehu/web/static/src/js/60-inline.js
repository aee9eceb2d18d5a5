/* Edit in place: click or E opens, Enter saves, Esc leaves, Tab saves and goes on. */
(() => {
  const K = window.Kehu;
  const before = new WeakMap();
  K.edit = (cell) => {
    if (!cell || cell.querySelector("[data-inline]") || cell.hasAttribute("aria-busy")) return;
    before.set(cell, [...cell.childNodes].map((node) => node.cloneNode(true)));
    cell.setAttribute("aria-busy", "true");
    htmx.ajax("GET", cell.dataset.editUrl, { target: cell, swap: "innerHTML" }).finally(() => cell.removeAttribute("aria-busy"));
  };
  const back = (cell) => {
    const nodes = before.get(cell);
    if (!nodes) return;
    cell.replaceChildren(...nodes);
    htmx.process(cell);
    (cell.querySelector("button,a") || cell.closest("[data-row]")?.querySelector("[data-row-link]"))?.focus();
  };
  K.on("click", "[data-edit-url]", (e, cell) => {
    if (e.target.closest("[data-inline],a[href],[data-row-key]")) return;
    e.preventDefault();
    K.edit(cell);
  });
  const next = (cell, step) => {
    const cells = K.all("[data-edit-url]", cell.closest("[data-row],dl,main")), at = cells.findIndex((item) => item.id === cell.id);
    return cells[at + step]?.id;
  };
  K.on("keydown", "[data-inline]", (e, form) => {
    if (e.isComposing) return;
    const cell = form.closest("[data-edit-url]");
    if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); back(cell); }
    else if (e.key === "Enter" && !e.shiftKey && !e.defaultPrevented && !(e.target.tagName === "TEXTAREA" && !(e.ctrlKey || e.metaKey))) { e.preventDefault(); form.requestSubmit(); }
    else if (e.key === "Tab" && !e.defaultPrevented) {
      const to = next(cell, e.shiftKey ? -1 : 1);
      if (!to) return;
      e.preventDefault();
      form.dataset.next = to;
      if (changed(form)) form.requestSubmit(); else { back(cell); K.edit(document.getElementById(to)); }
    }
  });
  const changed = (form) => [...form.elements].some((field) => (field.type === "hidden" ? false : field.tagName === "SELECT" ? [...field.options].some((option) => option.selected !== option.defaultSelected) : field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue));
  K.on("change", "[data-inline] :is(select,[type=date],[type=checkbox])", (e, field) => { if (field.tagName === "SELECT" && !field.multiple) field.form.requestSubmit(); });
  K.on("focusout", "[data-inline]", (e, form) => setTimeout(() => {
    if (!form.isConnected || form.contains(document.activeElement) || form.hasAttribute("aria-busy") || !document.hasFocus()) return;
    if (changed(form)) form.requestSubmit(); else back(form.closest("[data-edit-url]"));
  }, 120));
  document.addEventListener("htmx:before:request", (e) => {
    const form = e.detail.ctx.sourceElement;
    if (!form?.matches?.("[data-inline]")) return;
    form.setAttribute("aria-busy", "true");
    const cell = form.closest("[data-edit-url]");
    cell.dataset.next = form.dataset.next || "";
    e.detail.ctx.cellId = cell.id;
    e.detail.ctx.nextId = form.dataset.next;
  });
  document.addEventListener("htmx:finally:request", (e) => {
    const { ctx } = e.detail;
    if (!ctx.cellId) return;
    const cell = document.getElementById(ctx.cellId);
    cell?.querySelector("[data-inline]")?.removeAttribute("aria-busy");
    if (ctx.response?.status >= 400 || !ctx.response) return;
    if (ctx.nextId) K.edit(document.getElementById(ctx.nextId));
    else cell?.querySelector("button")?.focus();
  });
})();
