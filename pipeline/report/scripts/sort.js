// Column heads become buttons that sort; reference rows stay on top, unknown values last.
(() => {
  const order = (first, second, sign) => {
    if (first === undefined || second === undefined) return (first === undefined) - (second === undefined);
    const numbers = [Number(first), Number(second)];
    if (numbers.some(Number.isNaN)) return sign * first.localeCompare(second);
    return sign * (numbers[0] - numbers[1]);
  };
  const key = (row, column) => {
    const cell = row.cells[column];
    return column ? cell.dataset.key : cell.textContent.trim();
  };
  const sort = (table, head, column) => {
    const rising = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    rows.sort((a, b) => {
      const fixed = b.classList.contains("reference") - a.classList.contains("reference");
      return fixed || order(key(a, column), key(b, column), rising ? 1 : -1);
    });
    body.append(...rows);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const known = [...table.tBodies[0].rows].filter((row) => key(row, column) !== undefined);
      if (known.length < 2) return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => sort(table, head, column));
    });
  }
})();
