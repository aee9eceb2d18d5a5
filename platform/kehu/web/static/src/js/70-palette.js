/* The palette: records and commands of the server, and what this page can do. */
(() => {
  const K = window.Kehu;
  const actions = new WeakMap();
  const input = () => K.find("#palette-input");
  const options = () => K.all("#palette-list [role=option]").filter((item) => !item.closest("[hidden]"));
  const mark = (at) => {
    const items = options();
    items.forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    if (!items[at]) { input().removeAttribute("aria-activedescendant"); return; }
    items[at].id ||= `palette-${at}`;
    input().setAttribute("aria-activedescendant", items[at].id);
    items[at].scrollIntoView({ block: "nearest" });
  };
  const page = () => {
    const wanted = input().value.trim().toLocaleLowerCase(), box = K.find("#palette-page"), seen = new Set();
    K.all("[role=option]", box).forEach((item) => item.remove());
    for (const element of K.all("#main [data-key], #menu-create [data-key], .k-member [data-key]")) {
      const text = K.label(element);
      if (!text || seen.has(text) || element.disabled || element.closest("[hidden]:not([popover])") || element.matches("input:not([type=radio])") || (wanted && !text.toLocaleLowerCase().includes(wanted))) continue;
      seen.add(text);
      const option = K.make("div", { role: "option", "aria-selected": "false", id: `palette-page-${seen.size}` }, K.icon("corner-down-left", 16), K.make("span", {}, text), K.make("kbd", {}, element.dataset.key.toUpperCase()));
      actions.set(option, element);
      box.append(option);
      if (seen.size >= (wanted ? 6 : 8)) break;
    }
    box.hidden = !seen.size;
  };
  K.openPalette = () => { const field = input(); field.value = ""; page(); mark(0); htmx.trigger(field, "kehu:open"); };
  const run = (option, tab) => {
    const element = actions.get(option), dialog = K.find("#palette"), url = option.getAttribute("href");
    if (tab && url) { window.open(url, "_blank", "noopener"); return; }
    dialog.close();
    if (!element) { option.click(); return; }
    if (element.matches("[type=radio]")) { element.click(); element.form?.querySelector("textarea")?.focus(); } else element.click();
  };
  K.on("input", "#palette-input", page);
  K.on("htmx:after:settle", "#palette-results", () => mark(0));
  K.on("keydown", "#palette-input", (e) => {
    if (e.isComposing) return;
    const items = options(), at = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 }[e.key];
    if (to !== undefined) { e.preventDefault(); mark(e.key.startsWith("Page") ? Math.max(0, Math.min(items.length - 1, to)) : (to + items.length) % items.length); }
    else if (e.key === "Enter" && items[at]) { e.preventDefault(); run(items[at], e.ctrlKey || e.metaKey); }
  });
  K.on("pointermove", "#palette [role=option]", (e, option) => { if (option.getAttribute("aria-selected") !== "true") mark(options().indexOf(option)); });
  K.on("click", "#palette [role=option]", (e, option) => { if (actions.has(option)) run(option); else if (!e.ctrlKey && !e.metaKey) K.find("#palette").close(); });
})();
