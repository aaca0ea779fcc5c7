
"use strict";
// Filters the items and turns their pages. Without it the page is a long table; with it the table holds one page of what was
// asked for. What is asked for stands in the address, so that it can be sent to somebody: #q=adele&outcome=failed.
(() => {
  const PAGE = 100;
  // On paper there is room for more, but not for a hundred thousand.
  const PRINTED = 5000;
  const element = (id) => document.getElementById(id);
  const body = element("rows");
  if (!body) return;

  // Without marks and in lower case: "gonzalez" finds González.
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const count = (number) => number.toLocaleString("en");

  // Each item knows what it is filtered by, its text, and how to be a row.
  const ofRow = (row) => ({
    outcome: row.dataset.outcome,
    workload: row.dataset.workload,
    code: row.dataset.code,
    text: () => [row.textContent, ...Array.from(row.children, (cell) => cell.title)].join(" "),
    row: () => row,
  });
  const ofData = (words, item) => {
    const [outcome, workload, point, destination, session, code, reason] = item.map((at) => words[at]);
    const [expected, name, unit, pointId] = item.slice(7);
    return {
      outcome,
      workload,
      code: code || reason,
      text: () => [outcome, name, unit, workload, point, pointId, destination, session, code, reason].join(" "),
      row: () => {
        const row = element("row").content.firstElementChild.cloneNode(true);
        const [first, second, third, fourth, fifth, sixth, seventh] = row.children;
        const titled = (cell, title) => title && cell.setAttribute("title", title);
        first.firstElementChild.className = `chip ${outcome}`;
        first.firstElementChild.textContent = outcome;
        second.firstElementChild.textContent = name;
        titled(second, unit);
        third.textContent = workload;
        fourth.textContent = point;
        titled(fourth, pointId);
        fifth.textContent = destination;
        sixth.firstElementChild.textContent = session.slice(0, 8);
        titled(sixth, session);
        seventh.firstElementChild.textContent = code;
        seventh.lastElementChild.textContent = reason;
        if (expected) first.append(" on purpose");
        return row;
      },
    };
  };
  const items = Array.from(body.rows, ofRow);
  const kept = element("kept");
  if (kept) {
    const { words, rows } = JSON.parse(kept.textContent);
    for (const item of rows) items.push(ofData(words, item));
    kept.remove();
  }

  const controls = element("controls");
  const search = element("q");
  const choices = ["code", "workload"].map(element).filter(Boolean);
  const radios = Array.from(controls.querySelectorAll("[name=outcome]"));
  const pages = element("pages");
  let found = items;
  let page = 0;

  const draw = () => {
    const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
    page = Math.min(Math.max(page, 0), last);
    const from = page * PAGE;
    const shown = found.slice(from, from + PAGE);
    body.replaceChildren(...shown.map((item) => item.row()));
    if (!shown.length) {
      const cell = body.insertRow().insertCell();
      cell.colSpan = 7;
      cell.className = "none-found";
      cell.textContent = "No item is like that.";
    }
    pages.hidden = last === 0;
    element("where").textContent = `${count(from + 1)}–${count(from + shown.length)} of ${count(found.length)}`;
    element("back").disabled = page === 0;
    element("on").disabled = page === last;
  };

  const filter = () => {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    const outcome = radios.find((radio) => radio.checked)?.value;
    const asked = choices.filter((choice) => choice.value);
    found = items.filter((item) => {
      if (outcome && item.outcome !== outcome) return false;
      if (asked.some((choice) => item[choice.id] !== choice.value)) return false;
      if (!words.length) return true;
      item.plain ??= plain(item.text());
      return words.every((word) => item.plain.includes(word));
    });
    page = 0;
    const all = found.length === items.length;
    element("count").textContent = all
      ? `${count(items.length)} ${items.length === 1 ? "item" : "items"}, those first that somebody should look at`
      : `${count(found.length)} of ${count(items.length)} items`;
    draw();
  };

  const filters = [["q", search], ...choices.map((choice) => [choice.id, choice])];
  // From the address into the controls. Another place in the page (#timeline) asks for nothing.
  const read = () => {
    const text = location.hash.slice(1);
    if (text && !text.includes("=")) return false;
    const asked = new URLSearchParams(text);
    for (const [name, control] of filters) control.value = asked.get(name) ?? "";
    // A value that no item has leaves a list without a choice.
    for (const choice of choices) if (choice.selectedIndex < 0) choice.selectedIndex = 0;
    const outcome = radios.find((radio) => radio.value === asked.get("outcome")) ?? radios[0];
    outcome.checked = true;
    filter();
    return text !== "";
  };
  // From the controls into the address.
  const write = () => {
    const asked = new URLSearchParams();
    for (const [name, control] of filters) if (control.value) asked.set(name, control.value);
    const outcome = radios.find((radio) => radio.checked)?.value;
    if (outcome) asked.set("outcome", outcome);
    try {
      history.replaceState(null, "", `#${asked}`);
    } catch {
      // A browser that holds pages from files to their address: the filter works all the same.
    }
  };

  const look = () => element("items").scrollIntoView();
  const turn = (by) => {
    page += by;
    draw();
    look();
  };
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("input", () => {
    filter();
    write();
  });
  element("back").addEventListener("click", () => turn(-1));
  element("on").addEventListener("click", () => turn(1));
  addEventListener("hashchange", () => read() && look());
  addEventListener("beforeprint", () => {
    body.replaceChildren(...found.slice(0, PRINTED).map((item) => item.row()));
    if (found.length > PRINTED) {
      element("count").textContent = `${count(PRINTED)} of ${count(found.length)} items; all of them are in the .csv report`;
    }
  });
  addEventListener("afterprint", filter);
  for (const link of document.querySelectorAll("[data-filter]")) link.hash = link.dataset.filter;
  for (const note of document.querySelectorAll(".still")) note.hidden = true;
  controls.hidden = false;
  if (read()) look();
})();
