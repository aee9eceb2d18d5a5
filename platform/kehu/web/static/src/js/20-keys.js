/* One key registry: every [data-key] element, whatever page it stands on. */
(() => {
  const K = window.Kehu;
  const OFF = "kehu_single_keys";
  const codes = { Slash: "/", BracketLeft: "[", BracketRight: "]", Period: ".", Comma: "," };
  let pending = "", timer = 0;
  const single = () => { try { return localStorage.getItem(OFF) !== "off"; } catch { return true; } };
  K.single = single;
  /* The pressed key as it is written in data-key; letters by their place where the layout has no Latin ones. */
  const name = (e) => {
    let key = e.key.toLowerCase();
    if (key === " ") key = "space";
    if (key.length === 1 && key > "\x7f") key = e.code.startsWith("Key") ? e.code.slice(3).toLowerCase() : codes[e.code] || key;
    const shift = e.shiftKey && (key.length > 1 || /[a-z]/.test(key)) ? "shift+" : "";
    return (e.ctrlKey || e.metaKey ? "mod+" : "") + (e.altKey ? "alt+" : "") + shift + key;
  };
  const topDialog = () => K.all("dialog[open]").pop();
  const usable = (element) => {
    const dialog = topDialog();
    if (dialog ? !dialog.contains(element) : element.closest("dialog")) return false;
    return !element.disabled && !element.closest("[hidden]:not([data-bulk]), [inert]");
  };
  const registered = (key) => K.all(`[data-key="${CSS.escape(key)}"]`).filter(usable);
  const use = (element) => {
    if (element.matches("[type=radio]")) { element.click(); element.closest("form")?.querySelector("textarea")?.focus(); return; }
    if (element.matches("input,select,textarea")) { element.focus(); element.select?.(); return; }
    if (element.closest("[data-bulk]")) K.pickActive?.();
    element.click();
  };
  K.press = (key) => { const found = registered(key)[0]; if (found) use(found); return !!found; };
  const openMenu = (key) => { const menu = K.find(`[data-key-menu="${CSS.escape(key)}"]`); if (menu && !menu.matches(":popover-open")) { menu.showPopover(); menu.querySelector("[role=menuitem]")?.focus(); } };
  document.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.isComposing || e.keyCode === 229) return;
    const key = name(e), typing = K.typing(e.target);
    if (key === "mod+enter") {
      const form = e.target.closest("form");
      if (form?.querySelector("[type=submit]:not(:disabled)") && !e.target.closest("#palette")) { e.preventDefault(); form.requestSubmit(form.querySelector("[data-submit-key]") || undefined); return; }
    }
    if (key === "mod+z" && !typing) { const undo = K.all("[data-toast] [data-undo]").pop(); if (undo) { e.preventDefault(); K.undo(undo); } else if ("app" in document.body.dataset) K.toast({ message: K.word("late"), level: "info", link: { url: "/acts", text: K.word("acts") } }); return; }
    if (key === "escape" && e.target.matches?.("[type=search]")) { if (e.target.value) { e.preventDefault(); e.target.value = ""; e.target.dispatchEvent(new Event("input", { bubbles: true })); } else e.target.blur(); return; }
    if (key.startsWith("mod+")) { if (K.press(key)) e.preventDefault(); return; }
    if (typing || e.altKey || !single()) return;
    if (key === "escape") { if (!topDialog() && !K.find("[popover]:popover-open:not(#toasts)")) K.escape?.(); return; }
    if (topDialog() && !/^\w$/.test(key)) return;
    if (e.target.closest?.("[role=menu],[role=radiogroup]") && !/^[a-z?/]$/.test(key)) return;
    const sequence = pending ? `${pending} ${key}` : key;
    clearTimeout(timer);
    pending = "";
    if (sequence !== key && K.press(sequence)) { e.preventDefault(); K.all("[popover]:popover-open:not(#toasts)").forEach((menu) => menu.hidePopover()); return; }
    if (/^[a-z]$/.test(key) && K.all(`[data-key^="${key} "]`).some(usable)) {
      pending = key;
      timer = setTimeout(() => { pending = ""; openMenu(key); }, 700);
      e.preventDefault();
      return;
    }
    if (K.press(key)) e.preventDefault();
    else if (!topDialog()) K.listKey?.(e, key);
  });
  /* The help sheet shows what the registry holds right now. */
  const pretty = { mod: /Mac/.test(navigator.platform) ? "⌘" : "Ctrl", shift: "⇧", enter: "↵", escape: "Esc", space: "␣", arrows: "← ↑ ↓ →" };
  const caps = (key) => key.split(/[ +]/).map((part) => K.make("kbd", {}, pretty[part] || (part.length === 1 ? part.toUpperCase() : part)));
  const label = (element) => element.dataset.keyLabel || element.getAttribute("aria-label") || element.querySelector("span")?.textContent || element.textContent;
  K.label = (element) => label(element).trim();
  const group = (title, lines) => K.make("section", {}, K.make("h3", {}, title), K.make("dl", {}, ...lines.map(([key, text]) => K.make("div", {}, K.make("dt", {}, text), K.make("dd", {}, ...caps(key))))));
  K.on("click", "[data-open=help]", () => {
    const sheet = K.find("#help-keys"), fixed = JSON.parse(sheet.dataset.groups), seen = new Set(fixed.flatMap(([, lines]) => lines.map(([key]) => key)));
    const found = [];
    for (const element of K.all("[data-key]")) {
      const key = element.dataset.key;
      if (seen.has(key) || element.closest("dialog")) continue;
      seen.add(key);
      found.push([key, K.label(element)]);
    }
    sheet.replaceChildren(...fixed.map(([title, lines]) => group(title, lines)), group(K.word("other"), found));
    const box = K.find("[data-single-keys]");
    box.checked = single();
  });
  K.on("change", "[data-single-keys]", (e, box) => { try { localStorage.setItem(OFF, box.checked ? "on" : "off"); } catch { /* private mode: holds until the page is left */ } });
})();
