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

startRating(document);
if (form && field) {
  const suggestions = new Suggestions(form, field);
  const answer = place ? new Answer(place) : null;
  if (answer) {
    startTyping(form, field, answer, suggestions);
    startFolding(place);
  }
  startKeys(form, field, suggestions);
}
