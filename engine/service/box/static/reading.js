// A document's page: opened at its passage; and, for readers who have a profile, noted as opened and read.
// Its thumbs are sent by acts.js, like those of a list.

const READ_AFTER = 20_000;

const passage = document.getElementById("passage");
if (passage && !location.hash && performance.getEntriesByType("navigation")[0]?.type !== "back_forward") {
  passage.scrollIntoView({ block: "start" });
}

const watched = document.querySelector("[data-watched]")?.dataset.watched;

function note(kind) {
  const said = new URLSearchParams({ doc_id: watched, kind });
  navigator.sendBeacon("/feedback", said);
}

if (watched) {
  note("click");
  let left = READ_AFTER;
  let since = 0;
  let timer = 0;
  const begin = () => {
    if (left <= 0 || timer || document.visibilityState !== "visible") return;
    since = performance.now();
    timer = setTimeout(() => {
      timer = left = 0;
      note("read");
    }, left);
  };
  const pause = () => {
    if (!timer) return;
    clearTimeout(timer);
    timer = 0;
    left -= performance.now() - since;
  };
  document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? begin() : pause()));
  begin();
}

// The entry of the table of contents where one reads is in sight, without the page moving.
const contents = document.querySelector(".reading-side");
const here = contents?.querySelector("[aria-current]");
if (here && contents.scrollHeight > contents.clientHeight) {
  contents.scrollTop = here.offsetTop - contents.offsetTop - contents.clientHeight / 3;
}
