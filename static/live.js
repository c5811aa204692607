// The live view of /dev/console. Without it the page is a plain list as of its loading, with a link to load it again.
// Events of the stream: "row" (one <tr> as HTML, on one line, escaped by the server), "counts" (JSON: the numbers of the chips).
"use strict";
(() => {
  const found = (id) => document.getElementById(id);
  const rows = found("rows"), state = found("state"), pause = found("pause"), newer = found("newer");
  if (!state || !window.EventSource) return;
  const KEPT = 200;
  let paused = false, waiting = [];

  function show(text, off) {
    state.textContent = text;
    state.classList.toggle("is-off", off);
  }

  // Rows do not move away under a pointer or the focus: then they wait, and are counted.
  const busy = () => paused || rows.matches(":hover") || rows.contains(document.activeElement);

  function put() {
    if (!waiting.length) return;
    rows.prepend(...waiting.reverse());
    waiting = [];
    while (rows.rows.length > KEPT) rows.lastElementChild.remove();
    newer.textContent = "";
  }

  function row(html) {
    const template = document.createElement("template");
    template.innerHTML = html; // escaped by the server; the policy of the page lets no script of it run
    return template.content.firstElementChild;
  }

  // the filters of the page are those of the stream, which begins after the newest row that the page has
  const query = new URLSearchParams(location.search);
  query.set("after", found("live").dataset.after);
  const source = new EventSource(`/dev/console/stream?${query}`);
  source.addEventListener("open", () => {
    show(paused ? "Paused" : "Live", paused);
    pause.hidden = false;
    found("again").hidden = true;
  });
  source.addEventListener("error", () => show("Not live", true));             // the browser tries again by itself, with Last-Event-ID
  source.addEventListener("row", (event) => {
    if (!rows) return location.reload();                                      // the page said "nothing yet"
    waiting.push(row(event.data));
    if (waiting.length > KEPT) waiting.shift();
    if (!busy()) put();
    else if (paused) newer.textContent = waiting.length === 1 ? "1 newer request is waiting." : `${waiting.length} newer requests are waiting.`;
  });
  source.addEventListener("counts", (event) => {
    for (const [name, number] of Object.entries(JSON.parse(event.data))) {
      const place = document.querySelector(`[data-count="${CSS.escape(name)}"]`);
      if (place) place.textContent = number;
    }
  });
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    show(paused ? "Paused" : "Live", paused);
    if (!paused && rows) put();
  });
  if (rows) {
    rows.addEventListener("mouseleave", () => busy() || put());
    rows.addEventListener("focusout", () => setTimeout(() => busy() || put()));
  }
})();
