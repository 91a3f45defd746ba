/* Before the first paint, so that a dark page never flashes white. */
(() => { const t = localStorage.getItem("theme"); if (t === "light" || t === "dark") document.documentElement.dataset.theme = t; })();
