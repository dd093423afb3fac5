// Turns what is shown into what is to be shown with as few changes as can be, so that focus, open folds, ticked boxes
// and the place of everything that stays are kept. Elements are the same by data-key, data-keep or id.

export function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.isEqualNode(fresh)) return;
  attributes(old, fresh);
  children(old, fresh);
}

function name(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  return node.dataset.key ?? node.dataset.keep ?? node.id ?? "";
}

// What is not named is the same as something of its kind: a text, or an element of the same tag and first class.
function kind(node) {
  return node.nodeType === Node.ELEMENT_NODE ? `${node.nodeName}.${node.classList[0] ?? ""}` : node.nodeName;
}

function attributes(old, fresh) {
  const kept = old.nodeName === "DETAILS" ? "open" : "";
  for (const { name } of [...old.attributes]) {
    if (name !== kept && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== kept && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.nodeName === "INPUT" && old !== document.activeElement && old.type !== "checkbox") {
    old.value = fresh.value;
  }
}

function children(old, fresh) {
  const named = new Map();
  for (const child of old.childNodes) {
    if (name(child)) named.set(name(child), child);
  }
  const wanted = new Set([...fresh.childNodes].map(name).filter(Boolean));
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const key = name(next);
    while (at && name(at) && !wanted.has(name(at))) at = removed(at);
    let match = null;
    if (key) match = named.get(key) ?? null;
    else {
      match = at;
      while (match && (name(match) || kind(match) !== kind(next))) match = match.nextSibling;
    }
    if (!match) {
      old.insertBefore(next, at);
      continue;
    }
    if (match === at) at = at.nextSibling;
    else old.insertBefore(match, at);
    morph(match, next);
  }
  while (at) at = removed(at);
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}
