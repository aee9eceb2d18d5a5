/* Forms: sent once, never lost; drafts, composers, look-ups. */
(() => {
  const K = window.Kehu;
  const WAIT = 3000;
  /* A request that outlives its page may have 64 KB, and a character can take nine bytes. */
  const MAY_OUTLIVE = 7000;
  const dirty = () => K.find("#main form[data-dirty], #dialog form[data-dirty]");
  K.on("input", "form[data-form]", (e, form) => { if (e.isTrusted && e.target.name && !e.target.closest("[data-draft]")) form.dataset.dirty = "1"; });
  addEventListener("beforeunload", (e) => { if (dirty()) e.preventDefault(); });
  /* Leaving by a boosted link asks first when something typed was not sent. */
  document.addEventListener("htmx:config:request", (e) => {
    const source = e.detail.ctx.sourceElement, form = K.find("#main form[data-dirty]");
    if (!form || !source?.matches?.("a[href]") || !source._htmx?.boosted) return;
    e.preventDefault();
    K.ask({ text: K.word("leave"), button: K.word("drop") }).then((yes) => { if (yes) { delete form.dataset.dirty; source.click(); } });
  });
  /* Pages without the frame send by themselves: one click, one sending. */
  K.on("submit", "form", (e, form) => {
    delete form.dataset.dirty;
    if (form._htmx || form.method === "dialog" || e.defaultPrevented) return;
    const switchTo = (off) => K.all("[type=submit]", form).forEach((button) => { button.disabled = off; });
    setTimeout(switchTo, 0, true);
    /* A download answers without leaving the page. */
    setTimeout(switchTo, 5000, false);
  });
  addEventListener("pageshow", (e) => { if (e.persisted) K.all("[type=submit]:disabled").forEach((button) => { button.disabled = false; }); });
  document.addEventListener("htmx:after:request", (e) => {
    const { ctx } = e.detail, form = ctx.sourceElement?.closest?.("form");
    if (!form || ctx.request.method === "GET") return;
    if (ctx.response.status >= 400) {
      form.dataset.dirty = "1";
      /* A refusal draws the form anew, with what was typed: closing it still asks. */
      setTimeout(() => K.all("form[data-form]:has([aria-invalid=true])").forEach((one) => { one.dataset.dirty = "1"; }), 60);
      return;
    }
    delete form.dataset.dirty;
    K.all("[data-draft]", form).forEach((text) => { delete text.dataset.changed; });
    if (!("reset" in form.dataset)) return;
    setTimeout(() => {
      const kind = form.querySelector("[data-composer] [type=radio]:checked, [type=radio]:checked")?.value;
      form.reset();
      K.all("textarea", form).forEach((text) => { text.value = ""; });
      const key = form.querySelector("[name=idempotency_key]");
      if (key) key.value = crypto.randomUUID?.() || String(Math.random()).slice(2);
      const radio = K.all("[type=radio]", form).find((item) => item.value === kind);
      if (radio) { radio.checked = true; mode(form, radio); }
    });
  });
  /* A browser would fire input for each part of a composed character: wait for the whole. */
  document.addEventListener("input", (e) => { if (e.isComposing) e.stopImmediatePropagation(); }, true);
  document.addEventListener("compositionend", (e) => e.target.dispatchEvent(new Event("input", { bubbles: true })));
  /* Drafts go to the server three seconds after the first change since the last time; the last one outlives its page. */
  K.on("input", "textarea[data-draft]", (e, text) => {
    text.dataset.changed = "1";
    if (text.dataset.waiting) return;
    text.dataset.waiting = "1";
    setTimeout(() => keep(text), WAIT);
  });
  const keep = async (text) => {
    delete text.dataset.waiting;
    if (!text.dataset.changed) return;
    delete text.dataset.changed;
    try { await K.send("PUT", `/drafts/${encodeURIComponent(text.dataset.draft)}`, { text: text.value }, { keepalive: text.value.length < MAY_OUTLIVE }); } catch { text.dataset.changed = "1"; }
  };
  /* Asked to go, a page can still send; once it is hidden it is often too late. */
  const keepAll = () => K.all("textarea[data-changed]").forEach(keep);
  addEventListener("beforeunload", keepAll);
  document.addEventListener("visibilitychange", () => { if (document.hidden) keepAll(); });
  /* The composer's button and help say what will happen; fields of other kinds are neither shown nor sent. */
  const mode = (form, radio) => {
    const label = form.querySelector("[data-submit-label]"), help = form.querySelector("[data-help]");
    if (label && radio.dataset.submitText) label.textContent = radio.dataset.submitText;
    if (help) help.textContent = radio.dataset.helpText || "";
    for (const part of K.all("[data-mode]", form)) {
      const on = part.dataset.mode.split(" ").includes(radio.value);
      part.hidden = !on;
      K.all("input,select,textarea", part).forEach((field) => { field.disabled = !on; });
    }
  };
  K.on("change", "[data-composer] [type=radio]", (e, radio) => { if (radio.dataset.submitText) mode(radio.form, radio); });
  K.ready((root) => {
    for (const form of K.all("[data-composer]", root)) { const radio = form.querySelector("[data-submit-text]:checked"); if (radio) mode(form, radio); }
    const summary = root.querySelector?.("[data-focus]") || root.querySelector?.("[aria-invalid=true]");
    if (summary && !root.contains?.(document.activeElement)) summary.focus();
  });
  /* Look-up: a text field, a list from the server, a hidden field that carries the choice. */
  const parts = (box) => ({ text: box.querySelector("[role=combobox]"), value: box.querySelector("input[type=hidden]"), list: box.querySelector("[role=listbox]") });
  const options = (list) => K.all("[role=option]:not([aria-disabled=true])", list);
  const mark = (text, list, at) => {
    const items = options(list);
    items.forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    if (items[at]) { items[at].id ||= `${list.id}-${at}`; text.setAttribute("aria-activedescendant", items[at].id); items[at].scrollIntoView({ block: "nearest" }); } else text.removeAttribute("aria-activedescendant");
  };
  const show = (box, on) => { const { text, list } = parts(box); list.hidden = !on; text.setAttribute("aria-expanded", String(on)); if (!on) text.removeAttribute("aria-activedescendant"); };
  const choose = (box, option) => {
    const { text, value } = parts(box);
    value.value = option.dataset.value;
    text.value = text.dataset.chosen = option.dataset.text;
    show(box, false);
    value.dispatchEvent(new Event("change", { bubbles: true }));
    if (value.form?.method === "post") value.form.dataset.dirty = "1";
    if (box.closest("[data-inline]")) box.closest("form").requestSubmit();
  };
  K.on("focusin", "[data-lookup] [role=combobox]", (e, text) => { text.dataset.chosen ??= text.value; });
  K.on("click", "[data-lookup] [role=combobox]", (e, text) => { if (text.getAttribute("aria-expanded") !== "true") htmx.trigger(text, "kehu:open"); });
  K.on("htmx:after:settle", "[data-lookup] [role=listbox]", (e, list) => { const box = list.closest("[data-lookup]"); if (box.contains(document.activeElement)) { show(box, true); mark(parts(box).text, list, -1); } });
  K.on("pointerdown", "[data-lookup] [role=option]", (e, option) => { e.preventDefault(); if (option.dataset.value) choose(option.closest("[data-lookup]"), option); });
  K.on("focusout", "[data-lookup]", (e, box) => {
    if (box.contains(e.relatedTarget)) return;
    const { text, value } = parts(box);
    if (!text.value.trim()) { if (value.value) { value.value = ""; value.dispatchEvent(new Event("change", { bubbles: true })); } text.dataset.chosen = ""; } else if (text.dataset.chosen !== undefined) text.value = text.dataset.chosen;
    show(box, false);
  });
  K.on("keydown", "[data-lookup] [role=combobox]", (e, text) => {
    if (e.isComposing) return;
    const box = text.closest("[data-lookup]"), { list } = parts(box), items = options(list);
    const at = items.findIndex((item) => item.getAttribute("aria-selected") === "true"), open = !list.hidden;
    if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); if (!open) htmx.trigger(text, "kehu:open"); else mark(text, list, e.key === "ArrowDown" ? (at + 1) % items.length : (at < 1 ? items.length : at) - 1); }
    /* Enter without a choice takes the first hit; "create" is taken only when it was gone to, or nothing else is there. */
    else if (e.key === "Enter" && open && items.length) { e.preventDefault(); choose(box, items[at] ?? items.find((item) => !item.dataset.value?.startsWith("new:")) ?? items[0]); }
    else if (e.key === "Escape" && open) { e.preventDefault(); e.stopPropagation(); show(box, false); }
  }, true);
})();
