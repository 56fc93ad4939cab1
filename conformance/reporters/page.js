// The page's own script: filters the list of cases, and shows what is known of a case when it is
// opened. Everything that it shows was made, and escaped, when the report was written.
const byId = (id) => document.getElementById(id);
const cases = [...document.querySelectorAll("details.case")];
const form = byId("filters");
const FIELDS = ["outcome", "arch", "protocol", "driver", "machine"];

/** The details of all cases, unpacked once, when the first is opened. */
let details;
async function unpack() {
  const bytes = Uint8Array.from(atob(byId("details").textContent.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).json();
}

async function show(element) {
  const body = element.querySelector(".body");
  if (body.dataset.state) return;
  body.dataset.state = "loading";
  try {
    details ??= unpack();
    body.innerHTML = (await details)[Number(element.dataset.index)];
    body.dataset.state = "shown";
  } catch (error) {
    body.textContent = `Cannot show the details: ${error.message}. report.json has them.`;
    body.dataset.state = "";
  }
}

const RED = "red";
const isOutcome = ({ outcome, red }, wanted) => wanted === RED ? red === "1" : outcome === wanted;

/** Each word must be in the case's line; `req:x` stands for the cases of requirement x. */
function hasWords(element, words) {
  element.words ??= element.querySelector("summary").textContent.toLowerCase();
  const requirements = element.dataset.requirements.split(" ");
  return words.every((word) =>
    word.startsWith("req:") ? requirements.includes(word.slice(4)) : element.words.includes(word)
  );
}

function wanted() {
  const values = { q: form.elements.q.value.trim() };
  for (const name of FIELDS) values[name] = form.elements[name].value;
  return values;
}

function apply() {
  const values = wanted();
  const words = values.q.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const element of cases) {
    const fits = hasWords(element, words) && FIELDS.every((name) =>
      values[name] === "" ||
      (name === "outcome"
        ? isOutcome(element.dataset, values.outcome)
        : element.dataset[name] === values[name])
    );
    element.hidden = !fits;
    if (fits) shown++;
  }
  byId("count").textContent = `${shown} of ${cases.length} cases`;
  byId("nothing").hidden = shown > 0;
  for (const button of document.querySelectorAll(".matrix button")) {
    const names = ["arch", "protocol", "driver", "machine"];
    const isIt = names.every((name) => button.dataset[name] === values[name]);
    button.setAttribute("aria-pressed", String(isIt));
  }
  const set = Object.entries(values).filter(([, value]) => value !== "");
  const hash = new URLSearchParams(set).toString();
  history.replaceState(null, "", hash === "" ? location.pathname : `#${hash}`);
}

/** What the address says after the #: filters, or one case. */
function readAddress() {
  const values = new URLSearchParams(location.hash.slice(1));
  form.elements.q.value = values.get("q") ?? "";
  for (const name of FIELDS) form.elements[name].value = values.get(name) ?? "";
  apply();
}

/** Sets some filters and clears the others. */
function filterBy(values) {
  form.reset();
  for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
  apply();
  byId("cases").scrollIntoView();
}

for (const element of cases) {
  element.addEventListener("toggle", () => element.open && show(element));
  if (element.open) show(element);
}
form.addEventListener("input", apply);
form.addEventListener("reset", () => setTimeout(apply));
form.addEventListener("submit", (event) => event.preventDefault());
for (const button of document.querySelectorAll(".matrix button")) {
  button.addEventListener("click", () => {
    const isOn = button.getAttribute("aria-pressed") === "true";
    filterBy(isOn ? {} : { ...button.dataset });
  });
}
for (const button of document.querySelectorAll("button[data-requirement]")) {
  button.addEventListener("click", () => filterBy({ q: `req:${button.dataset.requirement}` }));
}
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || /^(INPUT|SELECT)$/.test(event.target.tagName)) return;
  event.preventDefault();
  form.elements.q.focus();
});
addEventListener("hashchange", readAddress);
readAddress();
