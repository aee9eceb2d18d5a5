/* The page as a whole: where we are, its scripts, theme, lost sessions, lost connections, the worker. */
(() => {
  const K = window.Kehu;
  const YEAR = 31536000;
  const cookie = (name, value) => { document.cookie = `${name}=${value};path=/;max-age=${YEAR};samesite=lax${location.protocol === "https:" ? ";secure" : ""}`; };
  const where = () => {
    const key = K.find("#main")?.dataset.nav;
    for (const link of K.all("[data-nav-key]")) link.dataset.navKey === key ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  };
  const scripts = () => {
    for (const url of (K.find("#main")?.dataset.src || "").split(" ").filter(Boolean)) {
      if (K.find(`script[src="${CSS.escape(url)}"]`)) continue;
      const script = K.make("script", { src: url });
      script.async = false;
      document.head.append(script);
    }
  };
  /* Tabs that don't fit scroll: the present one is in sight. */
  const tabs = () => { for (const tab of K.all(".k-tabs > [aria-current]")) { const bar = tab.parentElement; const far = tab.getBoundingClientRect(), room = bar.getBoundingClientRect(); if (far.left < room.left || far.right > room.right) bar.scrollLeft += far.left - room.left - (room.width - far.width) / 2; } };
  K.ready(() => { where(); scripts(); tabs(); });
  document.addEventListener("htmx:after:settle", (e) => {
    if (e.target.id !== "main" || e.detail.task?.swapSpec.style !== "outerSync") return;
    if (!e.target.querySelector("[autofocus],[data-focus]")) e.target.focus({ preventScroll: true });
    K.all(":popover-open:not(#toasts)").forEach((menu) => menu.hidePopover());
    K.all("dialog[open]").forEach((dialog) => dialog.close());
    const peek = K.find("#peek:not([hidden])");
    if (peek) { peek.hidden = true; peek.replaceChildren(); }
  });
  /* Only the last link that was clicked may fill the page. */
  let latest = null;
  document.addEventListener("htmx:before:request", (e) => {
    const { ctx } = e.detail;
    if (!ctx.sourceElement?._htmx?.boosted) return;
    if (latest && latest !== ctx && latest.status === "issuing") latest.request.abort();
    latest = ctx;
  });

  K.on("click", "[data-theme-switch]", () => {
    const root = document.documentElement, dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    cookie("kehu_theme", root.dataset.theme);
  });
  K.on("click", "[data-density-switch]", () => {
    const root = document.documentElement, compact = root.dataset.density === "compact";
    if (compact) delete root.dataset.density; else root.dataset.density = "compact";
    cookie("kehu_density", compact ? "" : "compact");
  });

  /* Refusals. A page that cannot be shown is loaded whole; a form stays as it is and a sentence says why. */
  K.signIn = () => {
    document.body.dataset.signedOut = "1";
    K.toast({ message: K.word("signin"), level: "warn", stay: true, link: { url: "/login", text: K.word("signinLink") } });
  };
  document.addEventListener("htmx:response:error", (e) => {
    const { ctx } = e.detail, { status } = ctx.response, source = ctx.sourceElement;
    if (status === 401 && ctx.request.method === "GET" && source?._htmx?.boosted) { location.assign(ctx.request.action); return; }
    if (status === 401) { K.signIn(); return; }
    if (source?.hasAttribute?.(`hx-status:${status}`) || ctx.hx?.trigger?.includes("kehu:toast")) return;
    if (ctx.request.method === "GET" && source?._htmx?.boosted) { location.assign(ctx.request.action); return; }
    if (source?.id === "palette-input") return;
    let problem = {};
    try { problem = JSON.parse(ctx.text); } catch { /* a page, not a problem: our own sentence stands */ }
    K.toast({ message: problem.detail || problem.title || K.word("failed"), level: "bad" });
  });
  document.addEventListener("htmx:before:swap", (e) => { if (e.detail.ctx?.response?.status >= 400 && e.detail.ctx.swap === "none") e.preventDefault(); });
  document.addEventListener("htmx:error", (e) => {
    const { error, ctx } = e.detail;
    if (ctx && (error instanceof TypeError || error === "timeout" || error?.name === "AbortError") && !ctx.response) K.toast({ message: K.word("offline"), level: "bad" });
  });
  /* After signing in elsewhere the token of this page is old: take the new one, keep what was typed. */
  addEventListener("focus", async () => {
    if (!document.body.dataset.signedOut) return;
    try {
      const answer = await fetch(location.href);
      const body = new DOMParser().parseFromString(await answer.text(), "text/html").body;
      const fresh = body.getAttribute("hx-headers:inherited");
      if (answer.redirected || !body.hasAttribute("data-app")) return;
      document.body.setAttribute("hx-headers:inherited", fresh);
      const token = JSON.parse(fresh)["X-CSRF-Token"];
      K.all("[name=csrf_token]").forEach((field) => { field.value = token; });
      delete document.body.dataset.signedOut;
      K.all("[data-toast][data-stay]").forEach((toast) => toast.remove());
    } catch { /* still away: the next focus tries again */ }
  });
  /* The exact time, in the firm's zone, for who points at a relative one. */
  const tip = (e, time) => {
    if (time.title || !time.dateTime.includes("T")) return;
    const zone = document.body.dataset.zone;
    time.title = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "full", timeStyle: "short", ...(zone && { timeZone: zone }) }).format(new Date(time.dateTime));
  };
  K.on("pointerover", "time[datetime]", tip);
  const offline = () => {
    K.find(".k-offline")?.remove();
    if (navigator.onLine === false) document.body.append(K.make("div", { class: "k-offline", role: "status" }, K.word("offline")));
  };
  addEventListener("online", offline);
  addEventListener("offline", offline);
  /* Files dropped on a drop zone go to its input. */
  for (const name of ["dragover", "dragleave", "drop"]) K.on(name, ".k-drop", (e, zone) => {
    e.preventDefault();
    zone.classList.toggle("k-over", name === "dragover");
    const field = zone.querySelector("input[type=file]");
    if (name === "drop" && field && e.dataTransfer.files.length) { field.files = e.dataTransfer.files; field.dispatchEvent(new Event("change", { bubbles: true })); }
  });
  /* The worker keeps opened records for reading without a connection, apart for each member. */
  const worker = (message) => navigator.serviceWorker?.controller?.postMessage(message);
  K.ready((root) => {
    if (root !== document.body) return;
    offline();
    if (!("app" in document.body.dataset) || !document.body.dataset.worker || !navigator.serviceWorker) return;
    navigator.serviceWorker.register(document.body.dataset.worker).then(() => worker({ store: document.body.dataset.store, asof: K.word("asof", "{n}") }), () => {});
  });
  K.on("submit", "[data-sign-out]", () => { worker({ forget: true }); try { sessionStorage.clear(); } catch { /* nothing kept, nothing to clear */ } });
})();
