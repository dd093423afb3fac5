// What one does with a document without leaving the page: rate it, hide it, take that back, unfold a passage.

export const FRAGMENT = { "quire-fragment": "1" };

// The buttons of every form[data-rating] on the page, now and later. `known` is called when a rating has made somebody
// of nobody, so that what the page says of its reader no longer holds.
export function startRating(page, known = () => {}) {
  page.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-rating]");
    if (!form) return;
    event.preventDefault();
    if (form.hasAttribute("aria-busy")) return; // pressed twice is pressed once: what is on its way decides
    form.setAttribute("aria-busy", "true");
    const button = event.submitter;
    const sent = new URLSearchParams(new FormData(form, button));
    try {
      const response = await fetch(form.action, { method: "POST", headers: FRAGMENT, body: sent });
      if (!response.ok) throw new Error(String(response.status));
      const html = response.status === 200 ? await response.text() : "";
      if (form.classList.contains("rating")) rated(form, button, html, known);
      else undone(form, sent.get("doc_id"));
    } catch {
      tellUnsent(place(form));
    } finally {
      form.removeAttribute("aria-busy");
    }
  });
}

// Where what is told of a form stands: with its hit, or below the buttons of a document's page.
function place(form) {
  return form.closest(".hit") ?? form.closest(".acts") ?? form.parentElement;
}

function say(words) {
  const live = document.getElementById("live");
  if (live) live.textContent = words ?? "";
}

// Says in `where` that nothing has changed; `put` sets the line down there.
export function tellUnsent(where, put = (line) => where.append(line)) {
  where.querySelector(":scope > .unsent")?.remove();
  const line = document.createElement("p");
  line.className = "unsent";
  line.setAttribute("role", "alert");
  line.textContent = document.getElementById("live")?.dataset.unsent ?? "";
  put(line);
}

function press(form, button) {
  for (const one of form.querySelectorAll("button[data-kind]")) {
    const on = one === button;
    one.setAttribute("aria-pressed", String(on));
    one.value = on ? "undo" : one.dataset.kind;
  }
}

function rated(form, button, html, known) {
  const where = place(form);
  where.querySelector(":scope > .unsent")?.remove();
  where.querySelector(":scope > .noted")?.remove();
  const taken = button.getAttribute("aria-pressed") === "true";
  press(form, taken ? null : button);
  const kind = button.dataset.kind;
  const told = html ? new DOMParser().parseFromString(html, "text/html").body.firstElementChild : null;
  if (told) {
    told.removeAttribute("id");
    where.append(told);
    if (told.hasAttribute("data-new")) known();
  }
  const away = kind === "hide" && !taken;
  form.closest(".hit")?.classList.toggle("put-away", away);
  if (away) where.querySelector(":scope > .noted button")?.focus();
  const words = document.getElementById("answer")?.dataset ?? {};
  const said = { like: words.thanksLike, dislike: words.thanksDislike, hide: words.hidden }[kind];
  if (!taken) say(told ? told.querySelector("p").textContent : said);
}

// "Undo" in what was told: the document's buttons are as if they had never been pressed, wherever they stand.
function undone(form, id) {
  form.closest(".noted")?.remove();
  let next = null;
  for (const rating of document.querySelectorAll("form.rating")) {
    if (rating.elements.doc_id.value !== id) continue;
    press(rating, null);
    const hit = rating.closest(".hit");
    hit?.classList.remove("put-away");
    next ??= hit?.querySelector("a[data-hit]") ?? rating.querySelector("button");
  }
  next?.focus();
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
