// The reader's own page: what is turned off, forgotten or added is shown at once, where it stands, and the focus stays.
// Every form works without this; one that is refused here is sent as forms are, so that the browser tells why.

import { FRAGMENT, tellUnsent } from "./acts.js";

const panel = document.getElementById("you-panel");
const live = document.getElementById("live");
let sent = 0;

function open() {
  return new Set([...panel.querySelectorAll("details[data-keep][open]")].map((one) => one.dataset.keep));
}

function show(html, key) {
  const kept = open();
  panel.innerHTML = html;
  for (const one of panel.querySelectorAll("details[data-keep]")) if (kept.has(one.dataset.keep)) one.open = true;
  document.getElementById("noted")?.remove();
  if (live) live.textContent = panel.querySelector("[data-announce]")?.textContent ?? "";
  const same = [...panel.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
  const next = same ?? panel.closest(".you")?.querySelector("h1");
  if (!same && next) next.tabIndex = -1;
  next?.focus({ preventScroll: Boolean(same) });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-you]")) return;
  event.preventDefault();
  const { submitter } = event;
  if (submitter?.hasAttribute("aria-busy")) return; // pressed twice is pressed once
  submitter?.setAttribute("aria-busy", "true");
  const number = ++sent;
  const body = new URLSearchParams(new FormData(form, submitter ?? undefined));
  const key = document.activeElement?.dataset.key ?? submitter?.dataset.key;
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: FRAGMENT });
    if (!answer.ok) return form.submit();
    const html = await answer.text();
    if (number === sent) show(html, key); // a later change shows what became of this one too
  } catch {
    tellUnsent(form.parentElement, (line) => form.after(line));
  } finally {
    submitter?.removeAttribute("aria-busy");
  }
});

document.addEventListener("input", (event) => {
  if (event.target.matches("#personal [type=range]")) {
    event.target.form.querySelector("output").value = `${Number(event.target.value)}×`;
  }
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("#personal");
  if (form) form.requestSubmit();
});
