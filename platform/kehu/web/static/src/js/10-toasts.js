/* Toasts: what happened, Undo, seven seconds, longer under the pointer or focus. */
(() => {
  const K = window.Kehu;
  const LIFE = 7000, MOST = 4;
  const icons = { bad: "alert-circle", warn: "alert-triangle", info: "info-circle" };
  const raise = () => {
    const region = K.find("#toasts");
    if (!region?.showPopover) return;
    if (region.matches(":popover-open")) region.hidePopover();
    region.showPopover();
  };
  const close = (toast) => {
    toast?.remove();
    if (!K.find("[data-toast]") && K.find("#toasts:popover-open")) K.find("#toasts").hidePopover();
  };
  const live = (toast) => {
    if (toast.dataset.live) return;
    toast.dataset.live = "1";
    let left = LIFE, since = 0, timer = 0;
    const go = () => { since = Date.now(); timer = setTimeout(() => close(toast), left); };
    const stop = () => { clearTimeout(timer); left = Math.max(1500, left - (Date.now() - since)); };
    if ("stay" in toast.dataset) return;
    for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, stop);
    for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, go);
    go();
  };
  K.toast = ({ message, level = "ok", undo_url: undo, link, stay }) => {
    const region = K.find("#toasts");
    if (!region) return;
    const toast = K.make("div", { class: `k-toast k-toast-${level}`, "data-toast": true, "data-stay": !!stay }, K.icon(icons[level] || "circle-check"), K.make("span", {}, message));
    if (undo) toast.append(K.make("button", { type: "button", "data-undo": undo }, K.word("undo")));
    if (link) toast.append(K.make("a", { href: link.url, target: "_blank", rel: "noopener" }, link.text));
    toast.append(K.make("button", { type: "button", "data-toast-close": true, "aria-label": K.word("close") }, K.icon("x", 16)));
    const old = K.all("[data-toast]", region);
    old.slice(0, Math.max(0, old.length - MOST + 1)).forEach((item) => item.remove());
    for (const same of old) if (same.textContent === toast.textContent) same.remove();
    region.append(toast);
    raise();
    live(toast);
  };
  document.addEventListener("kehu:toast", (e) => (e.detail.items || [e.detail]).forEach(K.toast));
  K.on("click", "[data-toast-close]", (e, button) => close(button.closest("[data-toast]")));
  K.undo = async (button) => {
    const url = button.dataset.undo;
    close(button.closest("[data-toast]"));
    try {
      const answer = await K.send("POST", url);
      if (!answer.ok) throw answer;
      if (answer.headers.get("HX-Redirect")) { location.assign(answer.headers.get("HX-Redirect")); return; }
      if (!(answer.headers.get("HX-Trigger") || "").includes("kehu:toast")) K.toast({ message: K.word("undone") });
      K.refresh();
    } catch (error) { K.explain(error); }
  };
  K.on("click", "[data-undo]", (e, button) => K.undo(button));
  /* The sentence of a refusal: from the answer's JSON, else our own. */
  K.explain = async (problem) => {
    let message = K.word(navigator.onLine === false || problem instanceof TypeError ? "offline" : "failed");
    if (problem?.json) try { const body = await problem.json(); message = body.detail || body.title || message; } catch { /* not JSON: our own sentence stands */ }
    if (problem?.status === 401) return K.signIn();
    K.toast({ message, level: "bad" });
  };
  K.ready(() => { const toasts = K.all("[data-toast]:not([data-live])"); if (toasts.length) { raise(); toasts.forEach(live); } });
})();
