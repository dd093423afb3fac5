// Thumbs and "hide" on pages of one document: said without leaving the page, shown as pressed, taken back by pressing again.
// A form that cannot be sent this way is sent as forms are.

const FRAGMENT = { "quire-fragment": "1" };
export const OPINIONS = ["like", "dislike", "hide"];

export function announce(text) {
  const live = document.getElementById("live");
  if (live && text) live.textContent = text;
}

export function shown(form, opinion) {
  for (const button of form.querySelectorAll("button[data-kind]")) {
    const pressed = button.dataset.kind === opinion;
    button.setAttribute("aria-pressed", String(pressed));
    button.value = pressed ? "undo" : button.dataset.kind;
  }
}

function banner(html) {
  document.getElementById("noted")?.remove();
  if (!html.trim()) return;
  const place = document.querySelector("main h1") ?? document.querySelector("main");
  place.insertAdjacentHTML("beforebegin", html);
  const said = document.getElementById("noted");
  announce(said?.querySelector("p")?.textContent.trim());
}

async function rate(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const answer = await fetch(form.action, { method: "POST", body, headers: FRAGMENT, redirect: "manual" });
  if (!answer.ok) throw new Error(String(answer.status));
  const id = body.get("doc_id");
  const opinion = OPINIONS.includes(button.value) ? button.value : "";
  for (const each of document.querySelectorAll("form[data-rating]")) {
    if (each.elements.doc_id?.value === id) shown(each, opinion);
  }
  banner(answer.status === 200 ? await answer.text() : "");
  if (answer.status === 204) announce(form.dataset[{ like: "saidLike", dislike: "saidDislike" }[opinion] ?? "saidUndo"]);
}

export function listen() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-rating]") || !event.submitter) return;
    event.preventDefault();
    const button = event.submitter;
    try {
      await rate(form, button);
    } catch {
      const kind = Object.assign(document.createElement("input"), { type: "hidden", name: "kind", value: button.value });
      form.append(kind);
      form.submit();
    }
  });
}
