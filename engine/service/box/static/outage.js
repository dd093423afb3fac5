// What is said when the service cannot be reached, and the way back: by hand, or by itself when the connection returns.

export class Outage {
  constructor(place, again) {
    this.place = place;
    this.again = again;
    addEventListener("online", () => {
      if (this.box) this.again();
    });
    addEventListener("offline", () => this.begin());
  }

  words() {
    const all = this.place.dataset;
    return navigator.onLine ? [all.failed, all.failedHelp] : [all.offline, all.offlineHelp];
  }

  begin() {
    this.over();
    const [what, help] = this.words();
    const box = document.createElement("div");
    box.className = "outage";
    box.setAttribute("role", "alert");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = this.place.dataset.again;
    button.addEventListener("click", () => this.again());
    const said = document.createElement("p");
    said.append(Object.assign(document.createElement("b"), { textContent: what }), ` ${help}`);
    box.append(said, button);
    this.place.before(box);
    this.box = box;
  }

  over() {
    this.box?.remove();
    this.box = null;
  }
}
