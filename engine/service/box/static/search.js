// The search page, quicker: results as one types, suggestions, keys. Without any of it the page works all the same.

import { Answer } from "./answer.js";
import { startFolding, startRating } from "./acts.js";
import { startKeys } from "./keys.js";
import { Suggestions } from "./suggest.js";
import { startTyping } from "./typing.js";

document.documentElement.classList.add("scripted");

const form = document.getElementById("ask");
const field = document.getElementById("q");
const place = document.getElementById("answer");

const answer = form && field && place?.dataset.still ? new Answer(place) : null;

startRating(document, () => answer?.known());
if (form && field) {
  // Enter that ends a word of an input method asks for nothing; some browsers say so by this number alone.
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) event.stopImmediatePropagation();
    if (event.keyCode === 229 && event.key === "Enter") event.preventDefault();
  });
  field.addEventListener("compositionend", () => field.dispatchEvent(new Event("input")));
  const suggestions = new Suggestions(form, field);
  if (answer) {
    startTyping(form, field, answer, suggestions);
    startFolding(place);
  }
  startKeys(form, field, suggestions);
}
