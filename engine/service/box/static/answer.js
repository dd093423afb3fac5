// What is below the search box: asked for, waited for, shown. Only what was asked last is ever shown. Where a
// cross-encoder reads results again, they come in two beats, and the second one never moves what a reader is busy with.

import { morph } from "./morph.js";
import { Outage } from "./outage.js";
import { Waiting } from "./waiting.js";

const SETTLED = 350; // ms of quiet before the second beat is asked for while somebody types
const SCROLLED = 24; // px
const SAID = 500; // ms of quiet before a count is read out

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Answer {
  constructor(place) {
    this.place = place;
    this.live = document.getElementById("live");
    this.asked = 0;
    this.control = null;
    this.search = location.search;
    this.twice = place.hasAttribute("data-twice");
    this.scrolledFrom = scrollY;
    this.waiting = new Waiting(place);
    this.outage = new Outage(place, () => this.show(this.search));
  }

  get state() {
    return this.place.firstElementChild?.dataset.state ?? "";
  }

  // Show the results of a URL's query string. `typing`: more of it may follow at once.
  async show(search, { typing = false } = {}) {
    const number = ++this.asked;
    this.control?.abort();
    this.control = new AbortController();
    this.search = search;
    this.scrolledFrom = scrollY;
    this.place.removeAttribute("data-reading");
    this.waiting.begin(this.state);
    this.withdraw();
    try {
      const both = this.twice && new URLSearchParams(search).get("q");
      const first = await this.piece(search, both ? "first" : "final", typing);
      if (number !== this.asked) return false;
      this.outage.over();
      this.put(first, { moving: false });
      this.say(this.place.firstElementChild.dataset.announce, typing ? SAID : 0);
      if (both && this.state === "results") this.second(search, number, typing);
      return true;
    } catch (error) {
      if (number !== this.asked || error.name === "AbortError") return false;
      this.outage.begin();
      return false;
    } finally {
      if (number === this.asked) {
        this.waiting.end();
        this.dress();
      }
    }
  }

  async second(search, number, typing) {
    if (typing) await new Promise((go) => setTimeout(go, SETTLED));
    if (number !== this.asked) return;
    this.place.setAttribute("data-reading", "");
    try {
      const piece = await this.piece(search, "final", false);
      if (number === this.asked) this.settle(piece, number, this.busy);
    } catch (error) {
      if (error.name !== "AbortError") console.info("the second beat did not come:", error.message);
    } finally {
      if (number === this.asked) this.place.removeAttribute("data-reading");
    }
  }

  // The list again after the reader has been elsewhere, where they may have rated some of it: nothing of it moves.
  async refresh() {
    const number = ++this.asked;
    this.control?.abort();
    this.control = new AbortController();
    try {
      const piece = await this.piece(this.search, "final", false);
      if (number !== this.asked) return;
      if (this.state === "results") this.settle(piece, number, true);
      else if (piece.dataset.state === this.state) this.put(piece, { moving: false });
    } catch (error) {
      if (error.name !== "AbortError") console.info("the list stays as it was:", error.message);
    }
  }

  // Only what the list says of its reader, who has become somebody.
  async known() {
    try {
      const piece = await this.piece(this.search, "first", false);
      const [old, fresh] = [this.place, piece].map((one) => one.querySelector(".reader"));
      if (old && fresh) morph(old, fresh);
    } catch (error) {
      if (error.name !== "AbortError") console.info("the line about the reader stays as it was:", error.message);
    }
  }

  // Put the final list into the place of the one that is there; where it must not move, only what leaves it in place.
  settle(piece, number, still) {
    if (piece.dataset.state !== "results") return;
    if (!still || same(this.place, piece, all)) this.put(piece, { moving: true });
    else if (same(this.place, piece, order)) rescore(this.place, piece);
    else {
      rerate(this.place, piece);
      this.offer(piece, number);
    }
  }

  async piece(search, beat, typing) {
    const parameters = new URLSearchParams(search);
    parameters.set("beat", beat);
    if (typing) parameters.set("typing", "1");
    const headers = { "quire-fragment": "1" };
    const response = await fetch(`/results?${parameters}`, { signal: this.control?.signal, headers });
    const type = response.headers.get("content-type") ?? "";
    if (!type.startsWith("text/html")) throw new Error(`${response.status}, ${type || "no type"}`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const piece = page.body.firstElementChild;
    if (!piece?.dataset.state) throw new Error(`${response.status}, not a piece of this page`);
    return piece;
  }

  put(piece, { moving }) {
    const was = moving && !calm.matches ? places(this.place) : null;
    const old = this.place.firstElementChild;
    if (old && old.dataset.state === piece.dataset.state) morph(old, piece);
    else this.place.replaceChildren(piece);
    this.place.querySelector(".better")?.remove();
    document.title = this.place.firstElementChild.dataset.title;
    this.dress();
    document.getElementById("noted")?.remove();
    if (was) slide(this.place, was);
  }

  // The page looks like what it shows.
  dress() {
    document.body.classList.toggle("home", this.state === "home");
    document.body.classList.toggle("found", this.state !== "home");
  }

  // Whether the reader is doing something with the results, so that they must not move.
  get busy() {
    const list = this.place.querySelector(".hits");
    if (!list) return false;
    return list.matches(":hover") || list.contains(document.activeElement) || Math.abs(scrollY - this.scrolledFrom) > SCROLLED;
  }

  offer(piece, number) {
    this.withdraw();
    const words = this.place.dataset;
    const line = document.createElement("p");
    line.className = "better";
    const button = document.createElement("button");
    button.type = "button";
    button.append(`${words.better} · `, Object.assign(document.createElement("b"), { textContent: words.show }));
    button.addEventListener("click", () => {
      if (number !== this.asked) return;
      this.put(piece, { moving: true });
      const heading = this.place.querySelector("#found");
      heading?.setAttribute("tabindex", "-1");
      heading?.focus({ preventScroll: true });
      this.say(words.final, 0);
    });
    line.append(button);
    this.place.append(line);
    this.say(words.better, 0);
  }

  withdraw() {
    this.place.querySelector(".better")?.remove();
  }

  say(words, after) {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      this.live.textContent = words;
    }, after);
  }
}

function hits(place) {
  return [...place.querySelectorAll(".hits > [data-key]")];
}

function order(hit) {
  return hit.dataset.key;
}

function all(hit) {
  return [order(hit), ...[...hit.querySelectorAll(".said")].map((said) => said.textContent)].join("\n");
}

// Whether two lists hold the same, hit by hit.
function same(place, piece, what) {
  const [old, fresh] = [hits(place).map(what), hits(piece).map(what)];
  return old.length === fresh.length && old.every((text, at) => text === fresh[at]);
}

// The scores of a list whose order has turned out right; the passages stay as they are being read.
function rescore(place, piece) {
  const fresh = hits(piece);
  hits(place).forEach((hit, at) => {
    const [bar, next] = [hit.querySelector(".account"), fresh[at].querySelector(".account")];
    if (!bar.open && !bar.contains(document.activeElement)) morph(bar, next);
  });
  rerate(place, piece);
  place.querySelector(".results").dataset.beat = piece.dataset.beat;
}

// The thumbs of what is in both lists.
function rerate(place, piece) {
  const fresh = new Map(hits(piece).map((hit) => [hit.dataset.key, hit.querySelector(".rating")]));
  for (const hit of hits(place)) {
    const [old, next] = [hit.querySelector(".rating"), fresh.get(hit.dataset.key)];
    if (old && next && !old.hasAttribute("aria-busy")) morph(old, next);
  }
}

function places(place) {
  return new Map(hits(place).map((hit) => [hit.dataset.key, hit.getBoundingClientRect().top]));
}

function slide(place, was) {
  for (const hit of hits(place)) {
    const from = was.get(hit.dataset.key);
    const way = from === undefined ? 0 : from - hit.getBoundingClientRect().top;
    if (from === undefined) hit.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 240 });
    else if (way) hit.animate([{ transform: `translateY(${way}px)` }, { transform: "none" }], { duration: 240, easing: "ease-out" });
  }
}
