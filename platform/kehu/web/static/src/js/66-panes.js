/* Phones show one pane of a record at a time, the middle one first. */
(() => {
  const K = window.Kehu;
  const shown = (panes, at) => {
    panes.dataset.shown = at;
    K.all(":scope > .k-pane", panes).forEach((pane, index) => pane.toggleAttribute("data-on", index === at));
    K.all("button", panes.previousElementSibling).forEach((button, index) => button.setAttribute("aria-pressed", String(index === at)));
  };
  K.ready((root) => {
    for (const panes of K.all(".k-panes:not([data-shown])", root)) {
      const all = K.all(":scope > .k-pane", panes), middle = Math.max(0, all.findIndex((pane) => pane.matches(".k-pane-mid")));
      if (all.length < 2) continue;
      const bar = K.make("div", { class: "k-segment k-pane-switch", role: "group" }, ...all.map((pane) => K.make("button", { type: "button", "data-pane": true }, pane.getAttribute("aria-label"))));
      panes.before(bar);
      shown(panes, middle);
    }
  });
  K.on("click", "[data-pane]", (e, button) => shown(button.parentElement.nextElementSibling, [...button.parentElement.children].indexOf(button)));
})();
