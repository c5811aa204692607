// Copy buttons: <button data-copy="id" hidden>. They are shown only where script runs; without it text can be selected.
"use strict";

(() => {
  const SHOWN = 2500; // milliseconds in which the button says what came of it
  const buttons = document.querySelectorAll("[data-copy][hidden]");
  if (!buttons.length) return;

  const spoken = document.createElement("p");
  spoken.className = "hidden-label";
  spoken.setAttribute("role", "status");
  document.body.append(spoken);

  function say(label, text, sentence = text) {
    label.textContent = text;
    spoken.textContent = sentence;
    setTimeout(() => { label.textContent = "Copy"; spoken.textContent = ""; }, SHOWN);
  }

  async function copy(button) {
    const from = document.getElementById(button.dataset.copy);
    const label = button.querySelector("span");
    try {
      await navigator.clipboard.writeText("value" in from ? from.value : from.textContent.trim());
      say(label, "Copied");
    } catch { // browsers have no clipboard outside of https and loopback
      if ("select" in from) from.select();
      else getSelection().selectAllChildren(from);
      say(label, "Ctrl+C", "Selected. Press Ctrl+C or Command+C to copy.");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
  for (const button of buttons) button.hidden = false;
})();
