// Two views of one image with a divider between them; everything is taken from the gallery below.
(() => {
  const section = document.querySelector("#compare");
  if (!section) return;
  const find = (name) => section.querySelector(name);
  const articles = [...document.querySelectorAll(".shown")];
  const stage = find(".stage");
  const divider = find(".divider");
  const picks = { left: find(".pick-left"), right: find(".pick-right") };
  let article = articles[0];

  const figures = () => [...article.querySelectorAll("figure[data-key]")];
  const figure = (side) => figures().find((one) => one.dataset.key === picks[side].value);

  const offer = (side, wanted) => {
    const options = figures().map((one) => new Option(one.dataset.title, one.dataset.key));
    picks[side].replaceChildren(...options);
    const keys = options.map((option) => option.value);
    picks[side].value = keys.includes(wanted) ? wanted : keys[0];
  };

  const draw = (side) => {
    const shown = figure(side);
    const place = find(`.side.${side}`);
    const map = shown.querySelector("img.layer");
    const layer = place.querySelector("img.layer");
    const backing = shown.querySelector(".backing");
    place.querySelector(".backing").classList.toggle("colour", backing.classList.contains("colour"));
    layer.hidden = !map;
    layer.src = map ? map.src : "data:,";
    layer.alt = map ? map.alt : "";
    place.querySelector(".name").textContent = shown.dataset.title;
    const panels = article.querySelector(".panels");
    const dots = place.querySelector(".dots");
    dots.setAttribute("viewBox", panels.dataset.box);
    for (const use of dots.children) use.setAttribute("href", panels.dataset.dots);
    const scores = shown.dataset.scores ? `: ${shown.dataset.scores}` : "";
    find(`.said-${side}`).textContent = shown.dataset.title + scores;
  };

  const show = (chosen) => {
    const before = { left: picks.left.value, right: picks.right.value };
    article = chosen;
    stage.style.setProperty("--photo", article.style.getPropertyValue("--photo"));
    stage.style.setProperty("--ratio", article.style.getPropertyValue("--ratio"));
    for (const side of ["left", "right"]) {
      offer(side, before[side]);
      draw(side);
    }
    find(".said-image").textContent = article.dataset.id;
    for (const thumb of find(".strip").children) {
      thumb.setAttribute("aria-pressed", String(thumb.dataset.id === article.dataset.id));
    }
  };

  const cut = (percent) => {
    const value = Math.max(0, Math.min(100, percent));
    stage.style.setProperty("--cut", `${value}%`);
    divider.setAttribute("aria-valuenow", String(Math.round(value)));
    divider.setAttribute("aria-valuetext", `${Math.round(value)} % left`);
  };

  const steps = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10 };
  divider.addEventListener("keydown", (event) => {
    const now = Number(divider.getAttribute("aria-valuenow"));
    if (event.key in steps) cut(now + steps[event.key]);
    else if (event.key === "Home") cut(0);
    else if (event.key === "End") cut(100);
    else return;
    event.preventDefault();
  });
  const drag = (event) => {
    const box = stage.getBoundingClientRect();
    cut((100 * (event.clientX - box.left)) / box.width);
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault(); // no selection, no dragging of pictures
    stage.setPointerCapture(event.pointerId);
    divider.focus({ preventScroll: true });
    drag(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (stage.hasPointerCapture(event.pointerId)) drag(event);
  });

  for (const side of ["left", "right"]) picks[side].addEventListener("change", () => draw(side));
  find(".swap").addEventListener("click", () => {
    [picks.left.value, picks.right.value] = [picks.right.value, picks.left.value];
    draw("left");
    draw("right");
  });
  find(".show-dots")?.addEventListener("change", (event) => {
    stage.classList.toggle("dotted", event.target.checked);
  });
  find(".bare").addEventListener("change", (event) => {
    stage.classList.toggle("bare-map", event.target.checked);
  });

  for (const one of articles) {
    const thumb = document.createElement("button");
    thumb.type = "button";
    thumb.className = "thumb";
    thumb.dataset.id = one.dataset.id;
    thumb.title = one.dataset.id;
    thumb.setAttribute("aria-label", `Image ${one.dataset.id}`);
    thumb.style.setProperty("--photo", one.style.getPropertyValue("--photo"));
    thumb.addEventListener("click", () => show(one));
    find(".strip").append(thumb);
  }
  section.hidden = false;
  show(article);
  const preferred = { left: "people", right: picks.right.options[picks.right.length - 1].value };
  for (const side of ["left", "right"]) {
    picks[side].value = preferred[side];
    draw(side);
  }
  cut(50);
})();
