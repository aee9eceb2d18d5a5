/* Shared ground of the scripts: delegation, requests, words. No element is kept in a variable. */
"use strict";
window.Kehu = (() => {
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (event, selector, handle, capture = false) =>
    document.addEventListener(event, (e) => {
      const element = e.target.closest?.(selector);
      if (element) handle(e, element);
    }, capture);
  const word = (name, n = "") => (JSON.parse(document.body.dataset.words || "{}")[name] || name).replace("{n}", n);
  const headers = () => JSON.parse(document.body.getAttribute("hx-headers:inherited") || "{}");
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "style" || name.startsWith("on")) continue;
      if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children);
    return element;
  };
  const icon = (name, size = 18) => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    for (const [key, value] of Object.entries({ class: "k-icon", width: size, height: size, "aria-hidden": "true" })) svg.setAttribute(key, value);
    const use = document.createElementNS(space, "use");
    use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
    svg.append(use);
    return svg;
  };
  /* Events that an answer asks for, for requests that htmx did not make. */
  const fire = (header) => {
    if (!header) return;
    const events = header.startsWith("{") ? JSON.parse(header) : Object.fromEntries(header.split(",").map((name) => [name.trim(), {}]));
    for (const [name, detail] of Object.entries(events)) document.dispatchEvent(new CustomEvent(name, { detail }));
  };
  const send = async (method, url, data = {}, more = {}) => {
    const answer = await fetch(url, {
      ...more,
      method,
      headers: { ...headers(), Accept: "application/json", "HX-Request": "true", "HX-Current-URL": location.href },
      body: method === "GET" ? undefined : new URLSearchParams(data),
    });
    fire(answer.headers.get("HX-Trigger"));
    return answer;
  };
  const refresh = (id = "main") => {
    const element = document.getElementById(id);
    if (!element) return undefined;
    return htmx.ajax("GET", location.pathname + location.search, {
      target: `#${id}`, swap: "outerMorph", headers: { "HX-Target": `${element.tagName.toLowerCase()}#${id}` },
    });
  };
  const starters = [];
  /* Run a function now and after every swap, with the part of the page that is new. */
  const ready = (start) => {
    starters.push(start);
    if (document.readyState !== "loading") start(document.body);
  };
  const started = (root) => starters.forEach((start) => start(root));
  document.addEventListener("DOMContentLoaded", () => started(document.body));
  document.addEventListener("htmx:after:settle", (e) => started(e.target instanceof Element && e.target.isConnected ? e.target : document.body));
  const typing = (element) => !!element?.closest?.("input:not([type=checkbox],[type=radio],[type=button],[type=submit]),textarea,select,[contenteditable=true]");
  const store = (name) => `${document.body.dataset.store || ""}:${name}`;
  document.addEventListener("kehu:refresh", () => refresh());
  document.addEventListener("kehu:list", () => refresh("list"));
  return { find, all, on, word, headers, make, icon, send, refresh, ready, typing, store, fire };
})();
