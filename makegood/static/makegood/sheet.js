/* The sheet is drawn again after each verb: what was typed elsewhere on it, and what was unfolded, stays. */
(() => {
  "use strict";
  // The queue leads to one form of the sheet (accept, refuse): it stands open when one arrives.
  const unfold = () => { const box = location.hash.startsWith("#verb-") && document.getElementById(location.hash.slice(1)); if (box) { box.open = true; box.scrollIntoView(); } };
  addEventListener("hashchange", unfold); addEventListener("DOMContentLoaded", unfold);
  let kept = null;
  const fields = (root) => [...root.querySelectorAll("form[id] input:not([type=hidden]), form[id] textarea, form[id] select")].filter((f) => f.name && !f.readOnly);
  const key = (f) => `${f.form.id}|${f.name}|${f.type === "radio" || f.type === "checkbox" ? f.value : ""}`;
  const touched = (f) => f.type === "file" ? f.files.length : f.type === "radio" || f.type === "checkbox" ? f.checked !== f.defaultChecked
    : f.tagName === "SELECT" ? [...f.options].some((o) => o.selected !== o.defaultSelected) : f.value !== f.defaultValue;
  const state = (f) => f.type === "file" ? f.files : f.type === "radio" || f.type === "checkbox" ? f.checked : f.value;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target, requestConfig } = event.detail;
    const sheet = document.getElementById("sheet");
    if (xhr.status === 403 && target === sheet && xhr.responseText.includes('id="sheet"')) { event.detail.shouldSwap = true; event.detail.isError = false; }
    if (target !== sheet || !event.detail.shouldSwap) return;
    // The form that was sent comes back as the server drew it; only its files are put back when it was refused.
    const sent = requestConfig?.elt?.closest?.("form")?.id;
    const redrawn = requestConfig?.elt?.dataset?.redraws; // one control that the answer brings anew, e.g. "form-reply|text|"
    kept = {
      open: [...sheet.querySelectorAll("details[id][open]")].map((d) => d.id),
      shut: [...sheet.querySelectorAll("details[id]:not([open])")].map((d) => d.id),
      values: fields(sheet).filter((f) => touched(f) && key(f) !== redrawn && (f.form.id !== sent || (f.type === "file" && xhr.status >= 400))).map((f) => [key(f), state(f)]),
      refused: xhr.status >= 400,
    };
  });
  document.addEventListener("htmx:afterSwap", () => {
    const sheet = document.getElementById("sheet"); if (!kept || !sheet) return;
    const values = new Map(kept.values);
    for (const f of fields(sheet)) {
      if (!values.has(key(f))) continue;
      const value = values.get(key(f));
      if (f.type === "file") f.files = value; else if (f.type === "radio" || f.type === "checkbox") f.checked = value; else f.value = value;
    }
    for (const id of kept.open) { const d = document.getElementById(id); if (d) d.open = true; }
    document.querySelector(kept.refused ? "#changed, #refused" : "#address")?.scrollIntoView({ block: "center" });
    document.getElementById("not-sent")?.setAttribute("hidden", "");
    kept = null;
  });
  // A machine's draft is marked until a person changes it.
  document.addEventListener("input", (event) => { if (event.target.name === "text") event.target.form?.querySelector(".machine-draft")?.remove(); });
  const failed = (event) => { if (event.detail.elt?.tagName === "FORM") document.getElementById("not-sent")?.removeAttribute("hidden"); };
  document.addEventListener("htmx:responseError", failed); document.addEventListener("htmx:sendError", failed);
  // A link to a form unfolds what it stands in and puts the cursor there.
  document.addEventListener("click", (event) => {
    if (event.target.matches("[data-select]")) event.target.select();
    const link = event.target.closest("[data-open]"); if (!link) return;
    const form = document.getElementById(link.dataset.open); if (!form) return;
    event.preventDefault();
    for (let box = form.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    form.scrollIntoView({ block: "center" }); (form.querySelector(".wrong input, .wrong textarea, .wrong select") || form.querySelector("textarea, select, input:not([type=hidden]), button"))?.focus({ preventScroll: true });
  });
})();
