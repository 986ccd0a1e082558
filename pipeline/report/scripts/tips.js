// Discs tell their figures in a small card beside them, under the pointer or when focused.
(() => {
  for (const figure of document.querySelectorAll(".trade")) {
    const tip = figure.querySelector(".tip");
    const show = (mark) => {
      const name = document.createElement("b");
      name.textContent = mark.dataset.name;
      const lines = mark.dataset.told.split("\n").map((text) => {
        const line = document.createElement("span");
        line.textContent = text;
        return line;
      });
      tip.replaceChildren(name, ...lines);
      tip.hidden = false;
      const disc = mark.querySelector(".disc").getBoundingClientRect();
      const box = figure.getBoundingClientRect();
      const middle = disc.left + disc.width / 2 - box.left;
      const most = box.width - tip.offsetWidth - 8;
      tip.style.left = `${Math.max(8, Math.min(most, middle - tip.offsetWidth / 2))}px`;
      const above = disc.top - box.top - tip.offsetHeight - 10;
      tip.style.top = `${above > 0 ? above : disc.bottom - box.top + 10}px`;
    };
    const hide = () => {
      const focused = figure.querySelector(".mark:focus");
      if (focused) show(focused);
      else tip.hidden = true;
    };
    for (const mark of figure.querySelectorAll(".mark")) {
      mark.querySelector("title").remove(); // it would pop up over the card; the label stays
      mark.addEventListener("pointerenter", () => show(mark));
      mark.addEventListener("pointerleave", hide);
      mark.addEventListener("focus", () => show(mark));
      mark.addEventListener("blur", hide);
      mark.addEventListener("keydown", (event) => {
        if (event.key === "Escape") tip.hidden = true;
      });
    }
  }
})();
