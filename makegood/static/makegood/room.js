/* The room lives: what others write comes in, but never into a form that somebody has open. The page works without this. */
(() => {
  "use strict";
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target } = event.detail;
    if (target.matches("details[open]")) event.detail.shouldSwap = false;
  });
  const down = () => { const chat = document.getElementById("room-chat"); if (chat) chat.scrollTop = chat.scrollHeight; };
  let low = true;
  // Two polls that crossed may both bring a line: it stands once.
  const once = () => { const seen = new Set(); for (const line of document.querySelectorAll("#room-chat > [id]")) { if (seen.has(line.id)) line.remove(); seen.add(line.id); } };
  document.addEventListener("htmx:beforeSwap", () => { const chat = document.getElementById("room-chat"); low = !chat || chat.scrollHeight - chat.scrollTop - chat.clientHeight < 40; });
  document.addEventListener("htmx:afterSettle", () => { once(); if (low) down(); });
  // A link to a folded form unfolds it.
  const unfold = () => { const box = location.hash.startsWith("#verb-") && document.getElementById(location.hash.slice(1)); if (box) box.open = true; };
  addEventListener("hashchange", unfold);
  const failed = (event) => { if (event.detail.elt?.tagName === "FORM") document.getElementById("not-sent")?.removeAttribute("hidden"); };
  document.addEventListener("htmx:responseError", failed); document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.requestConfig?.elt?.tagName === "FORM") document.getElementById("not-sent")?.setAttribute("hidden", ""); });
  down();
})();
