// How waiting looks: nothing for a moment, then a line that moves (and the outline of results where there are none
// yet), then words.

const SHOWN = 300; // ms
const SAID = 2500;

export class Waiting {
  constructor(place) {
    this.place = place;
    this.timers = [];
  }

  begin(state) {
    this.end();
    this.place.setAttribute("aria-busy", "true");
    this.timers = [setTimeout(() => this.look(state), SHOWN), setTimeout(() => this.say(), SAID)];
  }

  end() {
    this.timers.forEach(clearTimeout);
    this.timers = [];
    this.place.removeAttribute("aria-busy");
    this.place.classList.remove("waiting");
    this.place.querySelector(".still")?.remove();
    this.place.querySelector(".outline")?.remove();
    if (this.place.firstElementChild) this.place.firstElementChild.hidden = false;
  }

  look(state) {
    this.place.classList.add("waiting");
    if (state === "results") return;
    document.body.classList.remove("home");
    document.body.classList.add("found");
    const outline = document.createElement("div");
    outline.className = "outline";
    outline.setAttribute("aria-hidden", "true");
    for (let hit = 0; hit < 3; hit++) {
      const box = outline.appendChild(document.createElement("div"));
      for (let line = 0; line < 4; line++) box.append(document.createElement("span"));
    }
    if (this.place.firstElementChild) this.place.firstElementChild.hidden = true;
    this.place.append(outline);
  }

  say() {
    const line = document.createElement("p");
    line.className = "still";
    line.setAttribute("role", "status");
    line.textContent = this.place.dataset.still;
    this.place.append(line);
  }
}
