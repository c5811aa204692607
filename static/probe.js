// How far the run of /dev/probe is, looked up every two seconds until its report is there. Without script the page is as
// of its loading, with a link to load it again.
"use strict";

(() => {
  const SECONDS = 2;
  const state = document.getElementById("state");

  async function look() {
    try {
      const response = await fetch(location.href, { cache: "no-store" });
      const text = await response.text();
      if (!text.includes('id="progress"')) return location.reload(); // the report, or why there is none
      const page = new DOMParser().parseFromString(text, "text/html");
      document.getElementById("progress").replaceWith(page.getElementById("progress"));
      state.textContent = "Live";
      state.classList.remove("is-off");
    } catch {
      state.textContent = "This server does not answer";
      state.classList.add("is-off");
    }
    setTimeout(look, SECONDS * 1000);
  }

  document.getElementById("again").hidden = true;
  setTimeout(look, SECONDS * 1000);
})();
