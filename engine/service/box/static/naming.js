// Titles to choose from while one writes which document is missed; the browser's own list shows them.

const QUIET = 120; // ms without a key before titles are asked for
const LEAST = 2; // letters

const field = document.getElementById("why-id");
const list = document.getElementById("why-titles");
let timer = 0;
let asked = null;

async function complete() {
  asked?.abort();
  asked = new AbortController();
  const text = field.value.trim();
  if (text.length < LEAST) return;
  try {
    const answer = await fetch(`/suggest?q=${encodeURIComponent(text)}`, { signal: asked.signal });
    if (!answer.ok) return;
    const { suggestions } = await answer.json();
    const titles = suggestions.filter((one) => one.kind === "title").map((one) => one.text);
    list.replaceChildren(...titles.map((title) => Object.assign(document.createElement("option"), { value: title })));
  } catch {
    // nothing to choose from; what is written will do
  }
}

field?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(complete, QUIET);
});
