"use strict";
// Lets the reader accept, reject, move and add findings, and saves that as a review file.
(() => {
  const byId = (id) => document.getElementById(id);
  const settings = JSON.parse(byId("viewer-settings").textContent);
  const viewer = window.noduleViewer;
  const corrections = window.noduleCorrections;
  const UNSIZED_RADIUS_MM = 6;
  const VERDICTS = [["", "undecided"], ["accepted", "accept"], ["rejected", "reject"]];

  const decisions = new Map(settings.findings.map((finding) => [
    finding.id, { verdict: finding.verdict ?? "", movedTo: null, comment: "" },
  ]));
  const additions = [];
  const context = structuredClone(settings.review.context);
  const reader = context.reader ?? {};
  const factsOf = (id) => (context.findings[id] ??= {});
  const stated = JSON.stringify([context, reader]);
  const draftName = `nodule-review-${settings.review.report_sha256}`;
  let unsaved = false;
  let keepsDraft = true;

  const minus = (number) => String(number).replace("-", "−");
  const rounded = (point) => point.map((v) => Math.round(v * 1000) / 1000);
  const centreOf = (finding) => decisions.get(finding.id).movedTo ?? finding.center_lps_mm;
  const lookAt = (finding) => decisions.get(finding.id).movedTo ?? finding.look_at_lps_mm;
  const distance = (a, b) => Math.hypot(...a.map((v, axis) => v - b[axis]));

  // ---- what was decided

  function marks() {
    const found = settings.findings.map((finding) => ({
      id: finding.id,
      center_lps_mm: centreOf(finding),
      look_at_lps_mm: lookAt(finding),
      radius_mm: finding.radius_mm,
      status: decisions.get(finding.id).verdict || (finding.id[0] === "R" ? "added" : "open"),
    }));
    const added = additions.map((each, n) => ({
      id: addedId(n),
      center_lps_mm: each.center,
      look_at_lps_mm: each.center,
      radius_mm: each.longAxis ? each.longAxis / 2 + 2 : UNSIZED_RADIUS_MM,
      status: "added",
    }));
    return [...found, ...added];
  }

  const addedId = (n) => `R${settings.review.next_added + n}`;

  function review() {
    const before = new Map(settings.findings.map((each) => [each.id, each.verdict ?? ""]));
    const sizes = new Map(settings.findings.map((each) => [
      each.id, corrections.size(decisions.get(each.id), each.size),
    ]));
    const decided = [...decisions].filter(([id, d]) =>
      d.verdict !== before.get(id) || d.movedTo || d.comment.trim() || sizes.get(id) || d.lung);
    return {
      format: "nodule-review-1",
      report_sha256: settings.review.report_sha256,
      input_sha256: settings.review.input_sha256,
      series_instance_uid: settings.review.series_instance_uid,
      reader: byId("review-reader").value.trim() || null,
      attested_for: byId("review-attested").value.trim() || null,
      saved_at: new Date().toISOString(),
      decisions: decided.map(([id, d]) => ({
        id,
        verdict: d.verdict || null,
        moved_to_lps_mm: d.movedTo,
        size: sizes.get(id),
        lung: d.lung ?? null,
        comment: d.comment.trim() || null,
      })),
      additions: additions.map((each) => ({
        center_lps_mm: each.center,
        long_axis_mm: each.longAxis,
        comment: each.comment.trim() || null,
      })),
      context: JSON.stringify([context, reader]) === stated ? null : statedNow(),
    };
  }

  // What is stated now, without what is empty.
  function statedNow() {
    const named = (facts) => Object.values(facts).some((value) => value !== null);
    const findings = Object.fromEntries(
      Object.entries(context.findings).filter(([, facts]) => named(facts)));
    const says = Object.values(reader).some((value) => value);
    return { ...context, findings, reader: says ? reader : null };
  }

  // Why the review cannot be saved, null where it can.
  function fault() {
    for (const finding of settings.findings) {
      const size = corrections.size(decisions.get(finding.id), finding.size);
      if (typeof size === "string") return `${finding.id}: ${size}`;
    }
    if (byId("review-attested").value.trim() && !byId("review-reader").value.trim()) {
      return "name the reader who answers for the report";
    }
    return null;
  }

  function changed() {
    unsaved = true;
    keepDraft();
    refresh();
  }

  // ---- what is not saved yet is kept in this browser

  function keepDraft() {
    const draft = { decisions: [...decisions], additions, context, reader,
      by: byId("review-reader").value, attested: byId("review-attested").value };
    try {
      localStorage.setItem(draftName, JSON.stringify(draft));
    } catch {
      keepsDraft = false; // a browser may forbid it; the page then says so
    }
  }

  function takeDraft() {
    let draft = null;
    try {
      draft = JSON.parse(localStorage.getItem(draftName));
    } catch {
      keepsDraft = false;
    }
    if (!draft) return;
    for (const [id, decision] of draft.decisions) Object.assign(decisions.get(id), decision);
    additions.push(...draft.additions);
    Object.assign(context, draft.context);
    Object.assign(reader, draft.reader);
    byId("review-reader").value = draft.by;
    byId("review-attested").value = draft.attested ?? "";
    unsaved = true;
  }

  function dropDraft() {
    try {
      localStorage.removeItem(draftName);
    } catch {
      keepsDraft = false;
    }
  }

  function refresh() {
    viewer.setMarks(marks());
    const verdicts = [...decisions.values()].map((d) => d.verdict);
    const count = (verdict) => verdicts.filter((each) => each === verdict).length;
    byId("review-count").textContent =
      `${count("accepted")} accepted, ${count("rejected")} rejected, ${count("")} undecided, ` +
      `${additions.length} added${unsaved ? "; not saved yet" : ""}` +
      `${unsaved && !keepsDraft ? ", and lost when this page is closed" : ""}`;
    const why = fault();
    byId("review-fault").textContent = why ? `Cannot be saved: ${why}.` : "";
    byId("review-save").disabled = Boolean(why);
  }

  function save() {
    const text = `${JSON.stringify(review(), null, 2)}\n`;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "review.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    unsaved = false;
    dropDraft();
    refresh();
  }

  // ---- rows

  function make(name, properties = {}, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  }

  function button(text, label, act) {
    const element = make("button", { type: "button", textContent: text, onclick: act });
    element.setAttribute("aria-label", label);
    return element;
  }

  function commentBox(id, target) {
    const box = make("input", { type: "text", value: target.comment, placeholder: "Comment" });
    box.setAttribute("aria-label", `Comment on ${id}`);
    box.oninput = () => {
      target.comment = box.value;
      changed();
    };
    return box;
  }

  function row(id, jump, ...cells) {
    const name = make("th", { scope: "row" }, button(id, `${id}: show in slices`, jump));
    const element = make("tr", {}, name, ...cells.map((cell) => make("td", {}, ...cell)));
    element.dataset.review = id;
    return element;
  }

  function findingRow(finding) {
    const decision = decisions.get(finding.id);
    const choices = VERDICTS.map(([value, word]) => {
      const radio = make("input", { type: "radio", name: `review-${finding.id}`, value });
      radio.checked = value === decision.verdict;
      radio.onchange = () => {
        decision.verdict = value;
        changed();
      };
      return make("label", {}, radio, ` ${word}`);
    });
    const group = make("span", { className: "choices" }, ...choices);
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-label", `Verdict on ${finding.id}`);
    const moved = make("span", { className: "quiet" });
    const move = (point) => {
      decision.movedTo = point;
      const by = point && distance(point, finding.center_lps_mm).toFixed(1);
      moved.textContent = point ? ` moved by ${by} mm ` : "";
      back.hidden = !point;
      changed();
    };
    const here = button("Move to crosshair", `Move ${finding.id} to the crosshair`, () =>
      move(rounded(viewer.cursor())));
    const back = button("Undo", `Move ${finding.id} back`, () => move(null));
    back.hidden = true;
    if (decision.movedTo) move(decision.movedTo);
    const more = make("details", {}, make("summary", { textContent: "Correct" }),
      corrections.ofFinding(finding.id, decision, factsOf(finding.id), changed));
    return row(finding.id, () => viewer.jump(lookAt(finding)),
      [group, more], [here, moved, back], [commentBox(finding.id, decision)]);
  }

  function additionRow(each, n) {
    const id = addedId(n);
    const size = make("input", { type: "number", min: 1, max: 200, step: 0.1, value: each.longAxis ?? "" });
    size.setAttribute("aria-label", `Long axis of ${id} in mm`);
    size.oninput = () => {
      each.longAxis = size.valueAsNumber > 0 ? size.valueAsNumber : null;
      changed();
    };
    const remove = button("Remove", `Remove ${id}`, () => {
      additions.splice(additions.indexOf(each), 1);
      listAdditions();
      changed();
    });
    const place = `added, ${viewer.sliceText(each.center)}, z ${minus(each.center[2].toFixed(1))} mm`;
    return row(id, () => viewer.jump(each.center),
      [make("span", { className: "quiet", textContent: place })],
      [make("label", {}, "long axis ", size, " mm "), remove], [commentBox(id, each)]);
  }

  function listAdditions() {
    byId("review-added").replaceChildren(...additions.map(additionRow));
  }

  function add() {
    additions.push({ center: rounded(viewer.cursor()), longAxis: null, comment: "" });
    listAdditions();
    changed();
  }

  function start() {
    byId("review").hidden = false;
    takeDraft();
    byId("review-found").replaceChildren(...settings.findings.map(findingRow));
    byId("review-exam").replaceChildren(...corrections.ofExam(context, reader, changed));
    listAdditions();
    byId("review-reader").addEventListener("input", changed);
    byId("review-attested").addEventListener("input", changed);
    byId("review-add").addEventListener("click", add);
    byId("review-save").addEventListener("click", save);
    addEventListener("beforeunload", (event) => {
      if (unsaved) event.preventDefault();
    });
    refresh();
  }

  document.addEventListener("viewer-ready", start);
})();
