/* The page hears when something changed (docs/mechanisms/live.md) and fetches it for itself. Without a stream, or without this
   script, everything works as before: the parts that live ask again every few seconds. */
(() => {
  "use strict";
  const by = (id) => document.getElementById(id);
  const RARE = 55000, FAILS = 3;
  let source = null, live = false, fails = 0, timer = 0, ours = false;
  const asked = {}, want = { case: 0, room: "0.0" };

  // Work that is asked for again and again: at once, then never more than a part of the time, so that a slow server is asked less.
  const paced = (least, work) => {
    let busy = false, again = false, until = 0, wait = 0;
    const run = async () => {
      if (busy) { again = true; return; }
      clearTimeout(wait);
      const left = until - Date.now();
      if (left > 0) { wait = setTimeout(run, left); return; }
      busy = true; again = false;
      const began = performance.now();
      try { await work(run); } catch { /* the next nudge, or the rare look, tries again */ }
      busy = false;
      until = Date.now() + Math.max(least, 10 * (performance.now() - began)) * (1 + Math.random() / 2);
      if (again) run();
    };
    return () => setTimeout(run, Math.random() * 200); // sixty screens need not ask in the same moment
  };
  const ask = (method, element, context = {}) => {
    ours = true;
    try { return htmx.ajax(method, element.getAttribute(method === "GET" ? "hx-get" : "hx-post"), { source: element, target: element, swap: element.getAttribute("hx-swap"), ...context }); }
    finally { ours = false; }
  };
  const drawn = async (address) => {
    const answer = await fetch(address, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    return answer.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  };

  // Nothing is moved under a hand, drawn over half a sentence, or taken from under the cursor.
  let moved = 0;
  addEventListener("pointermove", () => { moved = Date.now(); }, { passive: true });
  addEventListener("pointerdown", () => { moved = Date.now(); }, { passive: true });
  const rest = async () => { for (let n = 0; n < 20 && Date.now() - moved < 700; n++) await new Promise((done) => setTimeout(done, 250)); };
  const touched = (f) => f.type === "file" ? f.files.length : f.type === "radio" || f.type === "checkbox" ? f.checked !== f.defaultChecked
    : f.tagName === "SELECT" ? [...f.options].some((o) => o.selected !== o.defaultSelected) && f.selectedIndex > 0 : f.value !== f.defaultValue;
  const held = (box) => {
    const at = document.activeElement, marked = getSelection();
    return (at !== document.body && box.contains(at)) || (marked && !marked.isCollapsed && box.contains(marked.anchorNode))
      || [...box.querySelectorAll("textarea, select, input:not([type=hidden])")].some(touched);
  };

  const lookPresence = paced(3000, async () => { const box = by("presence") || by("room-here"); if (box) await ask("POST", box); });
  const lookSheet = paced(1500, async () => {
    const sheet = by("sheet"); if (!sheet || want.case <= +sheet.dataset.version) return;
    const address = location.pathname + (new URLSearchParams(location.search).has("all") ? "?all" : "");
    await rest();
    if (!held(sheet)) { await htmx.ajax("GET", address, { target: "#sheet", swap: "outerHTML show:none" }); return; }
    // Somebody works here: what is only read is drawn anew; the forms stay as they are, with the version that they were drawn from.
    const fresh = (await drawn(address))?.getElementById("sheet");
    for (const part of fresh ? sheet.querySelectorAll("[data-live]") : []) {
      const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      if (other && !held(part)) { part.replaceWith(other); htmx.process(other); }
    }
    lookPresence();
  });
  const parts = (version) => version.split(".").map(Number);
  const behind = () => { const poll = by("room-poll"); if (!poll?.dataset.version) return false; const shown = parts(poll.dataset.version), asks = parts(want.room); return asks[0] > shown[0] || asks[1] > shown[1]; };
  const lookRoom = paced(1000, async (again) => { if (behind()) { await ask("GET", by("room-poll")); if (behind()) setTimeout(again, 1000); } });

  const lookQueue = paced(3000, async (again) => {
    const now = by("queue"); if (!now) return;
    const fresh = (await drawn(location.href))?.getElementById("queue");
    if (!fresh || now !== by("queue")) return;
    const counts = fresh.querySelectorAll(".views .count");
    now.querySelectorAll(".views .count").forEach((count, n) => { if (counts[n]) count.textContent = counts[n].textContent; });
    const rows = new Map([...fresh.querySelectorAll("li[data-case]")].map((row) => [row.dataset.case, row]));
    let left = false;
    for (const row of now.querySelectorAll("li[data-case]")) {
      const other = rows.get(row.dataset.case); rows.delete(row.dataset.case);
      if ((row.was ?? row.outerHTML) === (other?.outerHTML ?? "")) continue;
      if (row.matches(":hover, :focus-within") || row.querySelector("input:checked")) { left = true; continue; }
      if (other) { other.was = other.outerHTML; row.replaceWith(other); htmx.process(other); }
      else if (!row.classList.contains("gone")) { row.classList.add("gone"); const said = document.createElement("span"); said.className = "badge quiet"; said.textContent = now.dataset.gone; row.querySelector(".what")?.append(said); }
    }
    const line = by("queue-new");
    if (line) { line.hidden = !rows.size; line.querySelector("[data-n]").textContent = rows.size; }
    if (left) setTimeout(again, 4000);
  });

  const heard = {
    case: ({ version }) => { want.case = Math.max(want.case, version); lookSheet(); },
    room: ({ version }) => { want.room = version; lookRoom(); },
    presence: lookPresence,
    queue: lookQueue,
    notices: ({ unseen }) => { for (const badge of document.querySelectorAll("[data-unseen]")) { badge.hidden = !unseen; badge.firstElementChild.textContent = unseen; } },
  };
  const close = () => { source?.close(); source = null; live = false; document.documentElement.removeAttribute("data-live"); };
  const later = (seconds) => { clearTimeout(timer); timer = setTimeout(open, seconds * (750 + Math.random() * 500)); };
  const open = () => {
    clearTimeout(timer);
    if (source || document.hidden || !window.EventSource || !window.htmx) return;
    const wish = new URLSearchParams();
    if (by("sheet")?.dataset.number) wish.set("case", by("sheet").dataset.number);
    if (by("room")?.dataset.room) wish.set("room", by("room").dataset.room);
    if (by("queue")) wish.set("queue", "1");
    const mine = source = new EventSource(`/live/?${wish}`);
    mine.addEventListener("open", () => { live = true; fails = 0; document.documentElement.setAttribute("data-live", ""); });
    mine.addEventListener("error", () => {
      live = false;
      // A stream that ended, or a server that starts again: the browser comes back by itself. After three times in vain, we ask.
      if (mine.readyState !== EventSource.CLOSED && ++fails < FAILS) return;
      if (mine === source) { close(); later(60); }
    });
    mine.addEventListener("end", (event) => { if (JSON.parse(event.data).why === "access") close(); });
    for (const [name, act] of Object.entries(heard)) mine.addEventListener(name, (event) => act(JSON.parse(event.data)));
  };
  // A page that nobody looks at needs no stream (a browser opens only six to one server); it catches up when it is looked at.
  document.addEventListener("visibilitychange", () => { clearTimeout(timer); if (document.hidden) timer = setTimeout(close, 10000); else open(); });
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);

  // While the stream lives, the parts that ask by themselves do so rarely: a safety, not the way.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const id = event.detail.elt.id; if (!["presence", "room-poll", "room-here"].includes(id)) return;
    if (!ours && live && Date.now() - (asked[id] || 0) < RARE) { event.preventDefault(); return; }
    asked[id] = Date.now();
  });

  // 'Writing': words were put into a form of this page within half a minute.
  let writing = false, silence = 0;
  const say = (now) => { if (writing !== now) { writing = now; lookPresence(); } };
  document.addEventListener("input", (event) => {
    if (!event.target.closest?.("#sheet, #room") || !event.target.matches("textarea")) return;
    say(event.target.value.trim() !== ""); clearTimeout(silence); silence = setTimeout(() => say(false), 30000);
  });
  document.addEventListener("submit", () => say(false));
  document.addEventListener("htmx:configRequest", (event) => { if (["presence", "room-here"].includes(event.detail.elt.id)) event.detail.parameters.writing = writing ? "1" : "0"; });
})();
