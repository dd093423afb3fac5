// Suggestions below the search box, as the combobox pattern of WAI-ARIA has them: the focus stays in the field, the
// arrows go through the list, Enter takes what they are on, Escape closes it.

const QUIET = 90; // ms without a key before suggestions are asked for

export class Suggestions {
  constructor(form, field) {
    this.form = form;
    this.field = field;
    this.at = -1;
    this.items = [];
    this.asked = 0;
    this.control = null;
    this.chosen = () => form.requestSubmit();
    this.list = document.createElement("ul");
    this.list.id = "suggestions";
    this.list.className = "suggestions";
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", form.dataset.suggestions);
    field.after(this.list);
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", "suggestions");
    field.setAttribute("aria-expanded", "false");
    field.addEventListener("input", (event) => this.typed(event));
    field.addEventListener("keydown", (event) => this.key(event));
    field.addEventListener("blur", () => this.close());
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", (event) => {
      const item = event.target.closest("[role=option]");
      if (item) this.take(this.items.indexOf(item));
    });
  }

  get open() {
    return !this.list.hidden;
  }

  typed(event) {
    clearTimeout(this.timer);
    this.control?.abort();
    const number = ++this.asked;
    const text = this.field.value;
    if (!text.trim()) return this.close();
    if (event.isComposing) return;
    this.timer = setTimeout(() => this.ask(text, number), QUIET);
  }

  async ask(text, number) {
    this.control = new AbortController();
    try {
      const response = await fetch(`/suggest?${new URLSearchParams({ q: text })}`, { signal: this.control.signal });
      const found = response.ok ? (await response.json()).suggestions : [];
      if (number !== this.asked || document.activeElement !== this.field) return;
      this.show(found);
    } catch (error) {
      if (error.name !== "AbortError") this.close(); // suggestions are an extra: without them, all goes on
    }
  }

  show(found) {
    const kinds = { title: this.form.dataset.kindTitle, heading: this.form.dataset.kindHeading };
    this.at = -1;
    this.items = found.map((one, at) => {
      const item = document.createElement("li");
      item.id = `suggestion-${at}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.dataset.text = one.text;
      const said = document.createElement("span");
      said.dir = "auto";
      for (const [text, typed] of one.pieces) {
        if (typed) said.append(Object.assign(document.createElement("b"), { textContent: text }));
        else said.append(text);
      }
      item.append(said);
      if (kinds[one.kind]) {
        item.append(Object.assign(document.createElement("span"), { className: "kind", textContent: kinds[one.kind] }));
      }
      return item;
    });
    this.list.replaceChildren(...this.items);
    this.list.hidden = !this.items.length;
    this.field.setAttribute("aria-expanded", String(this.open));
    this.field.removeAttribute("aria-activedescendant");
  }

  key(event) {
    if (!this.open) return;
    const count = this.items.length;
    if (event.key === "ArrowDown") this.move(this.at + 1 < count ? this.at + 1 : -1);
    else if (event.key === "ArrowUp") this.move(this.at < 0 ? count - 1 : this.at - 1);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && this.at >= 0) this.take(this.at);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  move(to) {
    this.items[this.at]?.setAttribute("aria-selected", "false");
    this.at = to;
    const item = this.items[to];
    if (!item) return this.field.removeAttribute("aria-activedescendant");
    item.setAttribute("aria-selected", "true");
    item.scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", item.id);
  }

  take(at) {
    this.field.value = this.items[at].dataset.text;
    this.close();
    this.chosen();
  }

  close() {
    clearTimeout(this.timer);
    this.control?.abort();
    this.asked++;
    this.list.hidden = true;
    this.at = -1;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }
}
