for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") !== "descending";
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.value;
      const order = (a, b) =>
        column === 0 ? b.cells[0].textContent.localeCompare(a.cells[0].textContent)
        : Number(key(b) ?? -Infinity) - Number(key(a) ?? -Infinity);
      body.append(...[...body.rows].sort((a, b) => (falling ? order(a, b) : order(b, a)) || 0));
    });
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details.printed").forEach((part) => { part.open = true; }));
