/* Dialogs and menus. */
(() => {
  const K = window.Kehu;
  K.open = (id) => {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return;
    dialog.showModal();
    const first = dialog.querySelector("[autofocus]") || dialog.querySelector("[data-focus]") || dialog.querySelector("input:not([type=hidden]):not(:disabled),select,textarea") || dialog.querySelector("h2[tabindex]");
    first?.focus();
    if (id === "palette") K.openPalette();
  };
  K.on("click", "[data-open]", (e, button) => { e.preventDefault(); K.open(button.dataset.open); });
  const close = async (dialog, sure) => {
    if (!dialog?.open) return;
    if (!sure && dialog.querySelector("form[data-dirty]") && !(await K.ask({ text: K.word("leave"), button: K.word("drop") }))) return;
    dialog.close();
  };
  /* What else stands in a dialog may be a page of its own: leaving it goes back to where the person came from. */
  K.on("click", "[data-close]", (e, button) => {
    const dialog = button.closest("dialog"), back = document.referrer.startsWith(`${location.origin}/`) ? document.referrer : "/";
    if (dialog) close(dialog); else location.assign(back);
  });
  document.addEventListener("kehu:close", () => close(K.find("#dialog"), true));
  document.addEventListener("cancel", (e) => { if (e.target.id === "dialog") { e.preventDefault(); close(e.target); } }, true);
  document.addEventListener("pointerdown", (e) => {
    if (e.target.tagName !== "DIALOG" || e.target.id === "confirm") return;
    const box = e.target.getBoundingClientRect();
    if (e.clientX < box.left || e.clientX > box.right || e.clientY < box.top || e.clientY > box.bottom) close(e.target);
  });
  document.addEventListener("close", (e) => {
    if (e.target.id !== "dialog") return;
    e.target.replaceChildren();
    document.dispatchEvent(new CustomEvent("kehu:closed"));
    if (document.activeElement === document.body) K.find("#main")?.focus({ preventScroll: true });
  }, true);
  document.addEventListener("htmx:after:settle", (e) => {
    if (e.target.id !== "dialog") return;
    if (e.target.childElementCount) {
      e.target.classList.toggle("k-dialog-wide", !!e.detail.task?.sourceElement?.closest?.("[data-dialog=wide]"));
      K.all(":popover-open:not(#toasts)").forEach((menu) => menu.hidePopover());
      K.open("dialog");
    } else close(e.target, true);
  });
  /* Ask before what leaves the house or cannot return; title and button name the thing. */
  K.ask = ({ title = "", text = "", button = "", danger = false }) => new Promise((answer) => {
    const dialog = K.find("#confirm");
    if (!dialog) { answer(window.confirm(text)); return; }
    K.find("#confirm-title").textContent = title || text;
    K.find("#confirm-text").textContent = title ? text : "";
    const yes = K.find("#confirm-yes");
    yes.textContent = button || K.word("confirm");
    yes.classList.toggle("k-btn-danger-solid", danger);
    yes.classList.toggle("k-btn-primary", !danger);
    dialog.returnValue = "";
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
  document.addEventListener("htmx:confirm", (e) => {
    const source = e.detail.ctx.sourceElement;
    if (!e.detail.ctx.confirm) return;
    e.preventDefault();
    K.ask({ title: source.dataset.confirmTitle, text: e.detail.ctx.confirm, button: source.dataset.confirmButton || K.label(source), danger: /danger|k-bad/.test(source.className) })
      .then((yes) => (yes ? e.detail.issueRequest() : e.detail.dropRequest()));
  });
  /* Menus stand below their button, inside the window. */
  const place = (menu, button) => {
    const from = button.getBoundingClientRect(), box = menu.getBoundingClientRect(), edge = 8;
    const below = from.bottom + 4 + box.height <= innerHeight - edge || from.top < box.height + edge;
    menu.style.left = `${Math.max(edge, Math.min(from.left, innerWidth - box.width - edge))}px`;
    menu.style.top = `${Math.max(edge, below ? Math.min(from.bottom + 4, innerHeight - box.height - edge) : from.top - box.height - 4)}px`;
  };
  document.addEventListener("toggle", (e) => {
    const menu = e.target;
    if (!menu.matches?.(".k-menu")) return;
    const button = K.find(`[data-menu="${CSS.escape(menu.id)}"]`);
    button?.setAttribute("aria-expanded", String(e.newState === "open"));
    if (e.newState !== "open") return;
    if (button) place(menu, button);
    else { menu.style.left = `${(innerWidth - menu.offsetWidth) / 2}px`; menu.style.top = "18vh"; }
    (menu.querySelector("[role=menuitem],input:checked,input") || menu).focus();
  }, true);
  K.on("keydown", "[role=menu]", (e, menu) => {
    const items = K.all("[role=menuitem]", menu), at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[e.key];
    if (to === undefined || !items.length) return;
    e.preventDefault();
    items[(to + items.length) % items.length].focus();
  });
  K.on("click", "[role=menuitem]", (e, item) => item.closest("[popover]")?.hidePopover());
  K.on("click", "[data-copy]", async (e, button) => {
    try { await navigator.clipboard.writeText(button.dataset.copy); K.toast({ message: K.word("copied") }); } catch (error) { K.explain(error); }
  });
  K.escape = () => {
    const peek = K.find("#peek:not([hidden])");
    if (peek) { peek.hidden = true; peek.replaceChildren(); return; }
    K.clearPicks?.();
  };
})();
