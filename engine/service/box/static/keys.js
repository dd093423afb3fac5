// The keyboard: / leads to the search box, the arrows through the results, Enter opens one, Escape leads back.

export function startKeys(form, field, suggestions) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const on = document.activeElement;
    if (event.key === "/" && !writes(on)) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (on === field) inField(event);
    else if (on?.matches("a[data-hit]")) inHits(event, on);
  });

  function inField(event) {
    if (event.key === "ArrowDown" && !suggestions.open && hits().length) {
      event.preventDefault();
      go(hits()[0]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (!field.value) return field.blur();
      field.value = "";
      field.dispatchEvent(new Event("input"));
    }
  }

  function inHits(event, on) {
    const all = hits();
    const at = all.indexOf(on);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" || to === -1) {
      event.preventDefault();
      field.focus();
    } else if (to !== undefined) {
      event.preventDefault();
      if (all[to]) go(all[to]);
    }
  }
}

function hits() {
  return [...document.querySelectorAll("#answer a[data-hit]")];
}

function go(link) {
  link.focus({ preventScroll: true });
  link.closest(".hit").scrollIntoView({ block: "nearest" });
}

function writes(element) {
  return element?.matches("input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=submit]), textarea, select, [contenteditable]");
}
