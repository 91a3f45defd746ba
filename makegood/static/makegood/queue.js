/* 'All on this page': shown only where this script runs. */
(() => {
  "use strict";
  const show = () => document.querySelectorAll("[data-all-line]").forEach((line) => { line.hidden = false; });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-all]")) return;
    event.target.form.querySelectorAll('input[name="case"]').forEach((box) => { box.checked = event.target.checked; });
  });
  document.addEventListener("htmx:afterSettle", show);
  show();
})();
