// Sends the kinds of a group, or all of them, one after the other: each as its own form would, into the cell of its row.
// Without script a group is one request that answers with a page.
"use strict";

(() => {
  const MOST_UNANSWERED = 3; // in a row: then the server is not there
  const form = document.getElementById("mint");
  const bar = document.getElementById("sending");
  const [status, progress, stop] = ["p", "progress", "button"].map((name) => bar.querySelector(name));
  let stopping = null;

  async function tryKind(row) {
    const body = new URLSearchParams(new FormData(form));
    body.set("kind", row.dataset.kind);
    body.set("cell", "1");
    const response = await fetch("/dev/tokens/send", { method: "POST", body, redirect: "error", signal: stopping.signal });
    if (!response.ok) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      throw new Error(page.querySelector("[role=alert]")?.textContent.trim() || `This page answered ${response.status}.`);
    }
    const cell = row.querySelector(".result");
    cell.innerHTML = await response.text();
    return cell.firstElementChild.dataset.outcome;
  }

  function count(group) {
    for (const tag of group.querySelectorAll("[data-count]")) {
      const found = group.querySelectorAll(`.result [data-outcome=${tag.dataset.count}]`).length;
      tag.querySelector("span").textContent = found;
      tag.hidden = found === 0;
    }
  }

  async function sendAll(rows, title) {
    const counts = { good: 0, bad: 0, off: 0, none: 0, unanswered: 0 };
    let unanswered = 0;
    let done = 0;
    const told = () => `${title}: ${done} of ${rows.length} tried, ${counts.good} answered right, ${counts.bad} wrong`;
    stopping = new AbortController();
    progress.max = rows.length;
    bar.hidden = stop.hidden = false;
    try {
      for (const row of rows) {
        progress.value = done;
        status.textContent = `${told()} ...`;
        const outcome = await tryKind(row);
        counts[outcome] += 1;
        done += 1;
        count(row.closest("details"));
        if (outcome === "bad") row.closest("details").open = true;
        unanswered = outcome === "unanswered" ? unanswered + 1 : 0;
        if (unanswered === MOST_UNANSWERED) throw new Error("The server does not answer.");
      }
      status.textContent = `${told()}.`;
    } catch (error) {
      status.textContent = `${told()}. ${error.name === "AbortError" ? "Stopped." : error.message}`;
    }
    progress.value = done;
    stop.hidden = true;
    stopping = null;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-send]");
    if (!button) return;
    event.preventDefault();
    if (stopping) return;
    const from = button.dataset.send === "all" ? form : button.closest("details");
    const title = button.dataset.send === "all" ? "All kinds" : button.value;
    sendAll([...from.querySelectorAll("tr[data-kind]")], title);
  });
  stop.addEventListener("click", () => stopping?.abort());
  form.querySelector("[data-send=all]").hidden = false;
})();
