/* A few lines; every page works without them. */
(() => {
  "use strict";
  // 409 and 422 carry the same partial with the reason beside the control: let htmx show them.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if ([409, 422].includes(event.detail.xhr.status)) { event.detail.shouldSwap = true; event.detail.isError = false; }
  });
  const typing = (t) => t && (t.isContentEditable || /^(input|textarea|select)$/i.test(t.tagName));
  const rows = () => [...document.querySelectorAll("[data-row]")];
  let at = -1;
  const go = (step) => {
    const all = rows(); if (!all.length) return;
    at = Math.max(0, Math.min(all.length - 1, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step));
    (all[at].querySelector("a[href]") || all[at]).focus(); all[at].scrollIntoView({ block: "nearest" });
  };
  const reach = (name) => {
    const target = document.querySelector(`[data-key="${name}"]`); if (!target) return false;
    const box = target.closest("details"); if (box) box.open = true;
    if (target.matches("a, button") && !target.matches("[data-focus]")) target.click(); else target.focus();
    return true;
  };
  document.addEventListener("keydown", (event) => {
    // While Korean or Chinese is being composed, a key belongs to the input method, never to us.
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { document.activeElement?.blur?.(); return; }
    if (typing(event.target)) return;
    const sheet = document.getElementById("keys");
    if (event.key === "?" && sheet) { event.preventDefault(); sheet.open ? sheet.close() : sheet.showModal(); }
    else if (event.key === "j" || event.key === "k") { event.preventDefault(); go(event.key === "j" ? 1 : -1); }
    else if (["r", "n", "/"].includes(event.key) && reach(event.key)) event.preventDefault();
  });
  // Theme: as the system says, unless chosen here.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-next]"); if (!button) return;
    const order = ["", "light", "dark"]; const now = localStorage.getItem("theme") || "";
    const next = order[(order.indexOf(now) + 1) % 3];
    next ? localStorage.setItem("theme", next) : localStorage.removeItem("theme");
    next ? (document.documentElement.dataset.theme = next) : delete document.documentElement.dataset.theme;
  });
  // A choice that sends its form at once (language, filters); without script there is a button.
  document.addEventListener("change", (event) => { if (event.target.matches("[data-send]")) event.target.form.requestSubmit(); });
  // Keep the press from being sent twice.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    const form = event.target; if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1"; setTimeout(() => delete form.dataset.sent, 4000);
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((f) => delete f.dataset.sent));
})();
