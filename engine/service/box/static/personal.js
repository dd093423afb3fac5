// The reader's own page: what is turned off, forgotten or added is shown at once, where it stands, and the focus stays.
// Every form works without this; one that fails here is sent as forms are.

const FRAGMENT = { "quire-fragment": "1" };
const panel = document.getElementById("you-panel");

function open() {
  return new Set([...panel.querySelectorAll("details[data-keep][open]")].map((one) => one.dataset.keep));
}

function show(html, key) {
  const kept = open();
  panel.innerHTML = html;
  for (const one of panel.querySelectorAll("details[data-keep]")) if (kept.has(one.dataset.keep)) one.open = true;
  document.getElementById("noted")?.remove();
  const said = panel.querySelector("[data-announce]")?.textContent ?? "";
  const live = document.getElementById("live");
  if (live) live.textContent = said;
  const same = [...panel.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
  const next = same ?? panel.closest(".you")?.querySelector("h1");
  if (!same && next) next.tabIndex = -1;
  next?.focus({ preventScroll: Boolean(same) });
}

async function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter ?? undefined));
  const key = (document.activeElement?.dataset ?? {}).key ?? submitter?.dataset.key;
  const answer = await fetch(form.action, { method: "POST", body, headers: FRAGMENT });
  if (!answer.ok) throw new Error(String(answer.status));
  show(await answer.text(), key);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-you]")) return;
  event.preventDefault();
  const { submitter } = event;
  submitter?.setAttribute("aria-busy", "true");
  try {
    await send(form, submitter);
  } catch {
    form.submit();
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
