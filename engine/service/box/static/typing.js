// The search box, the links and forms around the results, and the history: what is asked is always in the address.
// Typing makes one entry of the history and changes it as it goes on; Enter, a filter, a page make entries of their own,
// so that Back leads to the search before this one.

const QUIET = 220; // ms without a key before results are asked for
const REMEMBERED = 250; // ms without scrolling before the place is remembered

export function startTyping(form, field, answer, suggestions) {
  let timer = 0;
  history.scrollRestoration = "manual";

  const address = (parameters) => {
    parameters.delete("page");
    for (const [name, value] of [...parameters]) if (!value) parameters.delete(name);
    const query = parameters.toString();
    return query ? `/?${query}` : "/";
  };
  const typed = () => {
    const parameters = new URLSearchParams(location.search);
    parameters.delete("q");
    const text = field.value.trim().replace(/\s+/g, " ");
    const first = new URLSearchParams(text ? { q: text } : {});
    for (const [name, value] of parameters) if (!name.startsWith("noted")) first.append(name, value);
    return address(first);
  };
  const here = () => location.pathname + location.search;

  const ask = (options) => {
    languages();
    return answer.show(location.search, options);
  };
  const remember = () => history.replaceState({ ...history.state, y: scrollY }, "");
  const settled = () => history.replaceState({ ...history.state, typing: false }, "");
  const commit = (url) => {
    clearTimeout(timer);
    suggestions.close();
    remember();
    if (history.state?.typing) history.replaceState({}, "", url);
    else if (url !== here()) history.pushState({}, "", url);
    return ask();
  };

  field.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (event.isComposing) return; // half a Chinese word is no query
    timer = setTimeout(() => {
      const url = typed();
      if (url === here()) return;
      if (history.state?.typing) history.replaceState({ typing: true }, "", url);
      else history.pushState({ typing: true }, "", url);
      ask({ typing: true });
    }, QUIET);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    commit(typed());
  });
  suggestions.chosen = () => commit(typed());

  answer.place.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-nav], a[data-again]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const url = new URL(link.href);
    const turned = !link.closest(".facet, .chips, .reader, .orders");
    field.value = url.searchParams.get("q") ?? "";
    settled();
    await commit(url.pathname + url.search);
    if (turned || !answer.place.contains(document.activeElement)) top();
  });

  answer.place.addEventListener("submit", (event) => {
    const sent = event.target.closest("[data-go], [data-strength]");
    if (!sent) return;
    event.preventDefault();
    settled();
    commit(address(new URLSearchParams(new FormData(sent))));
  });
  answer.place.addEventListener("input", (event) => {
    const slider = event.target.closest("[data-strength] input[type=range]");
    if (!slider) return;
    slider.form.querySelector("output").value = `${Number(slider.value)}×`;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const parameters = new URLSearchParams(new FormData(slider.form));
      history.replaceState(history.state, "", address(parameters));
      ask();
    }, QUIET / 2);
  });

  addEventListener("popstate", async (event) => {
    if (location.search === answer.search) return; // only a place within the page
    clearTimeout(timer);
    suggestions.close();
    field.value = new URLSearchParams(location.search).get("q") ?? "";
    const y = event.state?.y ?? 0;
    if (await ask()) scrollTo(0, y);
  });
  let scrolling = 0;
  addEventListener("scroll", () => {
    clearTimeout(scrolling);
    scrolling = setTimeout(remember, REMEMBERED);
  }, { passive: true });
  addEventListener("pagehide", remember);
  if (history.state?.y) scrollTo(0, history.state.y);
  addEventListener("pageshow", (event) => {
    const returned = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
    if (event.persisted || returned) answer.refresh();
  });

  function top() {
    const heading = answer.place.querySelector("h1");
    scrollTo(0, 0);
    heading?.setAttribute("tabindex", "-1");
    heading?.focus({ preventScroll: true });
  }
}

// The links to this page in other languages are of what is asked now.
function languages() {
  for (const link of document.querySelectorAll("a[data-language]")) {
    const parameters = new URLSearchParams(location.search);
    parameters.set("lang", link.dataset.language);
    link.href = `/?${parameters}`;
  }
}
