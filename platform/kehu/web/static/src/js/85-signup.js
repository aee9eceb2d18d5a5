/* Sign-up: the browser knows its time zone, from which country and currency are proposed; the person may change all. */
(() => {
  const K = window.Kehu;
  const propose = async () => {
    const field = K.find("select[data-browser-zone]"), form = field?.closest("form");
    if (!form || form.querySelector("[aria-invalid]") || form.querySelector("[name=firm]").value) return;
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const answer = await fetch(`/signup/proposal?zone=${encodeURIComponent(zone)}`).catch(() => null);
    if (!answer?.ok) return;
    for (const [name, value] of Object.entries(await answer.json())) {
      const select = K.find(`select[name="${name}"]:not([data-touched])`);
      if (select && [...select.options].some((option) => option.value === value)) select.value = value;
    }
  };
  K.on("change", "form select", (_e, select) => { if (select.form.querySelector("[data-browser-zone]")) select.dataset.touched = ""; });
  K.ready(propose);
})();
