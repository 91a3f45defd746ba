/* The editor of an answer. Everything has a way without this script; nothing acts while a syllable is being composed. */
(() => {
  "use strict";
  const editor = (el) => el?.closest?.("textarea[data-editor]");
  const composing = (event) => event.isComposing || event.keyCode === 229;
  const store = (() => { try { return window.sessionStorage; } catch { return null; } })();
  // One name a browser tab, so that two tabs do not cover each other's words unseen.
  let tab = store?.getItem("tab") || Math.random().toString(36).slice(2, 10);
  store?.setItem("tab", tab);
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.closest("form")?.querySelector("textarea[data-editor]")) event.detail.parameters.tab = tab;
  });

  // A found place is selected where it stands.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-place]"); if (!button) return;
    const box = button.closest("form")?.querySelector("textarea[data-editor]"); if (!box) return;
    const [start, end] = button.dataset.place.split(",").map(Number);
    // The server counts code points, a text area counts UTF-16 units.
    const units = (n) => [...box.value].slice(0, n).join("").length;
    box.focus(); box.setSelectionRange(units(start), units(end));
    box.scrollTop = Math.max(0, (box.value.slice(0, units(start)).split("\n").length - 3) * 24);
  });

  // What was typed beside the findings stays when they are drawn anew; a promised time may fill the empty next word.
  let typed = new Map();
  const named = (box) => [...box.querySelectorAll("input[name]")];
  document.addEventListener("htmx:beforeSwap", (event) => {
    const box = event.detail.target; if (!box?.classList?.contains("checks")) return;
    typed = new Map(named(box).map((f) => [f.type === "radio" ? `${f.name}=${f.value}` : f.name, f.type === "radio" ? f.checked : f.value]));
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const box = event.detail.target; if (!box?.classList?.contains("checks")) return;
    for (const f of named(box)) {
      const key = f.type === "radio" ? `${f.name}=${f.value}` : f.name; if (!typed.has(key)) continue;
      if (f.type === "radio") f.checked = typed.get(key) || f.checked; else if (typed.get(key)) f.value = typed.get(key);
    }
    const fills = box.querySelector("[data-fills]"); const at = box.closest("form")?.elements.next_word_at;
    // What we filled in for words that are gone goes with them.
    if (at?.dataset.filled && !at.dataset.left && !box.querySelector(".offer")) { at.value = ""; delete at.dataset.filled; }
    if (fills && at && !at.value && !at.dataset.left) { at.value = fills.dataset.fills; at.dataset.filled = "1"; htmx.trigger(box, "recheck"); }
  });
  // Who takes the time out again has decided: it is not put back.
  document.addEventListener("input", (event) => { if (event.target.name === "next_word_at") event.target.dataset.left = "1"; });

  // Ctrl+Enter sends.
  document.addEventListener("keydown", (event) => {
    const box = editor(event.target); if (!box || composing(event)) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); close(); box.form.requestSubmit(box.form.querySelector("[id^=press-]")); }
  });

  // Ready-made replies by '/', from the same list that stands below as a control.
  let list = null, at = 0, rows = [];
  const close = () => { list?.remove(); list = null; rows = []; };
  const word = (box) => box.value.slice(0, box.selectionStart).match(/(?:^|[\s\n])\/([^\s/]{0,30})$/);
  const open = (box) => {
    const found = word(box), select = box.form.querySelector("[data-snippets]"); close();
    if (!found || !select) return;
    const asked = found[1].toLowerCase();
    rows = [...select.options].filter((o) => o.value && (`${o.value} ${o.text}`.toLowerCase().includes(asked))).slice(0, 8);
    if (!rows.length) return;
    list = document.createElement("ul"); list.className = "slash"; list.id = "slash"; list.setAttribute("role", "listbox");
    rows.forEach((o, i) => {
      const li = document.createElement("li"); li.setAttribute("role", "option"); li.id = `slash-${i}`; li.dataset.pick = o.value;
      const code = document.createElement("code"); code.textContent = `/${o.value} `; li.append(code, o.text); list.append(li);
    });
    const line = box.value.slice(0, box.selectionStart).split("\n").length;
    list.style.top = `${box.offsetTop + Math.min(box.offsetHeight, line * 24 + 14 - box.scrollTop)}px`;
    box.parentElement.append(list); box.setAttribute("aria-controls", "slash"); mark(box, 0);
  };
  const mark = (box, n) => {
    at = (n + rows.length) % rows.length;
    list.querySelectorAll("li").forEach((li, i) => li.setAttribute("aria-selected", String(i === at)));
    box.setAttribute("aria-activedescendant", `slash-${at}`); list.children[at].scrollIntoView({ block: "nearest" });
  };
  const put = async (box, pick, from) => {
    const select = box.form.querySelector("[data-snippets]"); close(); box.removeAttribute("aria-activedescendant");
    const answer = await fetch(`${select.dataset.snippets}?pick=${encodeURIComponent(pick)}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const made = await answer.json(), end = box.selectionStart, start = from ?? end;
    box.setRangeText(made.text, start, end, "end"); select.value = "";
    const when = box.form.elements.next_word_at;
    if (when && !when.value && made.text.length && made.at) when.value = made.at;
    const note = box.form.querySelector("[data-snippet-note]"); if (note) { note.textContent = made.note; note.hidden = !made.note; }
    box.focus(); box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  document.addEventListener("input", (event) => { const box = editor(event.target); if (box && !event.isComposing) open(box); });
  document.addEventListener("compositionend", (event) => { const box = editor(event.target); if (box) open(box); });
  document.addEventListener("keydown", (event) => {
    const box = editor(event.target); if (!box || !list || composing(event)) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") mark(box, at + (event.key === "ArrowDown" ? 1 : -1));
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") put(box, rows[at].value, box.selectionStart - word(box)[1].length - 1);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault(); event.stopPropagation();
  }, true);
  document.addEventListener("mousedown", (event) => {
    const li = event.target.closest(".slash li"); if (!li) return;
    event.preventDefault(); const box = li.closest(".editor").querySelector("textarea[data-editor]");
    put(box, li.dataset.pick, box.selectionStart - (word(box)?.[1].length ?? -1) - 1);
  });
  document.addEventListener("focusout", (event) => { if (editor(event.target)) close(); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]"); if (!button) return;
    const box = button.closest("form").querySelector("textarea[data-editor]"), pick = button.form.elements.snippet.value;
    event.preventDefault(); if (pick) put(box, pick);
  });

  // The session died while somebody wrote: the words wait in this tab until it is back.
  const place = () => `words:${location.pathname}`;
  const stash = (event) => { const box = editor(event.detail.elt); if (box && (event.detail.xhr?.status ?? 0) !== 422) store?.setItem(place(), box.value); };
  document.addEventListener("htmx:responseError", stash); document.addEventListener("htmx:sendError", stash);
  document.addEventListener("htmx:afterRequest", (event) => { if (editor(event.detail.elt) && event.detail.successful) store?.removeItem(place()); });
  const begin = () => {
    document.querySelectorAll("[data-needs-script]").forEach((el) => { el.hidden = false; });
    // Words that stand here already (a draft, words that were taken back) are looked at too.
    document.querySelectorAll("textarea[data-editor]").forEach((el) => { const box = el.parentElement.querySelector(".checks"); if (el.value && box && !box.children.length) htmx.trigger(box, "recheck"); });
    const kept = store?.getItem(place()), box = document.querySelector("textarea[data-editor]");
    if (!kept || !box || box.value === kept) return;
    // Another page wrote meanwhile: under a new name of this tab its words are covered as a version, not lost.
    if (!kept.startsWith(box.value)) tab = Math.random().toString(36).slice(2, 10);
    box.value = kept; store.removeItem(place()); box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target?.id === "sheet" || event.detail.elt?.id === "sheet") begin(); });
  begin();
})();
