/* Record pages: filter chips, counted totals, rows of mails and phones, the bulk dialog. */
(() => {
  const K = window.Kehu;
  /* A filter from the menu shows its chip and opens it. */
  K.on("click", "[data-add-filter]", (e, item) => {
    const chip = K.find(`[data-chip="${CSS.escape(item.dataset.addFilter)}"]`);
    if (!chip) return;
    chip.hidden = false;
    setTimeout(() => document.getElementById(chip.dataset.menu)?.showPopover());
  });
  K.on("htmx:after:settle", ".k-chip-menu", (e, menu) => {
    if (e.target === menu) menu.querySelector("input:checked, input:not([type=hidden]), select")?.focus();
  });
  /* One more row of a list of values. */
  K.on("click", "[data-add-row]", (e, button) => {
    const rows = K.all("[data-row-fields]", button.closest("fieldset, form")), last = rows[rows.length - 1];
    if (!last) return;
    const row = last.cloneNode(true);
    K.all("input", row).forEach((input) => { input.value = ""; input.removeAttribute("value"); input.removeAttribute("autofocus"); });
    last.after(row);
    row.querySelector("input")?.focus();
  });
  /* Tab stays within an editor of several inputs. */
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Tab" || !e.target.closest?.(".k-inline-rows")) return;
    const stops = K.all("input:not([type=hidden]),button", e.target.closest("form"));
    if (e.target !== (e.shiftKey ? stops[0] : stops[stops.length - 1])) e.stopImmediatePropagation();
  }, true);
  K.on("change", "[data-choose-field]", (e, select) => {
    for (const part of K.all("[data-field-of]", select.form)) part.hidden = part.dataset.fieldOf !== select.value;
  });
  /* What a hint proposes goes into its field, as if it were typed. */
  K.on("click", "[data-fill]", (e, button) => {
    const input = button.closest("form")?.elements[button.dataset.fill];
    if (!input) return;
    input.value = button.dataset.value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
  });
  K.on("click", "[data-reload-list]", () => document.dispatchEvent(new CustomEvent("kehu:list")));
})();
