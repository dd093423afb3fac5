// What one does with a document in a list without leaving it: rate it, hide it, unfold a passage.

const FRAGMENT = { "quire-fragment": "1" };

// The buttons of every form[data-rating] on the page, now and later.
export function startRating(page) {
  page.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-rating]");
    if (!form) return;
    event.preventDefault();
    const button = event.submitter;
    const sent = new URLSearchParams(new FormData(form, button));
    try {
      const response = await fetch(form.action, { method: "POST", headers: FRAGMENT, body: sent });
      if (!response.ok) throw new Error(String(response.status));
      rated(form, button, response.status === 200 ? await response.text() : "");
    } catch {
      unsent(form);
    }
  });
}

// Says that nothing has changed, where it was asked for.
function unsent(form) {
  const place = form.closest(".hit") ?? form.parentElement;
  place.querySelector(":scope > .unsent")?.remove();
  const line = document.createElement("p");
  line.className = "unsent";
  line.setAttribute("role", "alert");
  line.textContent = document.getElementById("live")?.dataset.unsent ?? "";
  if (form.closest(".hit")) place.append(line);
  else form.after(line);
}

function rated(form, button, html) {
  const hit = form.closest(".hit");
  (hit ?? form.parentElement).querySelector(":scope > .unsent")?.remove();
  if (!form.classList.contains("rating")) return undone(form);
  const pressed = button.getAttribute("aria-pressed") === "true";
  for (const one of form.querySelectorAll("button[data-kind]")) {
    const on = one === button && !pressed;
    one.setAttribute("aria-pressed", String(on));
    one.value = on ? "undo" : one.dataset.kind;
  }
  const words = document.getElementById("answer")?.dataset ?? {};
  const kind = button.dataset.kind;
  hit?.querySelector(":scope > .noted")?.remove();
  if (html) {
    const told = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    if (told) {
      told.removeAttribute("id");
      if (hit) hit.append(told);
      else form.after(told); // a form inside a form would keep its submissions to itself
    }
  }
  hit?.classList.toggle("put-away", kind === "hide" && !pressed);
  if (kind === "hide" && !pressed) hit?.querySelector(".noted button")?.focus();
  const said = { like: words.thanksLike, dislike: words.thanksDislike, hide: words.hidden }[kind];
  const live = document.getElementById("live");
  if (live && !pressed && !html) live.textContent = said ?? "";
}

// "Undo" in what was told after something was hidden.
function undone(form) {
  const hit = form.closest(".hit");
  if (!hit) return form.closest(".noted")?.remove();
  hit.classList.remove("put-away");
  for (const one of hit.querySelectorAll(".rating button[data-kind]")) {
    one.setAttribute("aria-pressed", "false");
    one.value = one.dataset.kind;
  }
  form.closest(".noted")?.remove();
  hit.querySelector("a[data-hit]")?.focus();
}

// "Show more" of a passage: its text is fetched and put in the place of the snippet.
export function startFolding(place) {
  place.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-unfold]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (link.hasAttribute("aria-busy")) return;
    link.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(link.dataset.unfold, { headers: FRAGMENT });
      if (!response.ok) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const passage = link.closest("[data-passage]");
      const said = passage.querySelector(".said");
      const whole = page.body.firstElementChild;
      whole.setAttribute("tabindex", "-1");
      said.replaceWith(whole);
      whole.focus({ preventScroll: true });
    } catch {
      location.assign(link.href); // the page of the document says what is wrong
    }
  });
}
