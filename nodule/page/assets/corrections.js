"use strict";
// Form fields by which a reader corrects a finding, and states what images cannot tell of the exam.
window.noduleCorrections = (() => {
  const YES_NO = [["", "not stated"], ["yes", "yes"], ["no", "no"]];
  const TEXTURES = ["solid", "part-solid", "ground-glass", "calcified"];
  const LOBES = { right: ["RUL", "RML", "RLL"], left: ["LUL", "LLL"] };
  const BENIGN = ["calcification", "fat", "perifissural", "juxtapleural", "proven"];
  const SETTINGS = ["screening-baseline", "screening-annual", "screening-interval", "incidental",
    "known-cancer"];
  const INCOMPLETE = ["prior being located", "lungs not evaluable", "suspected infection"];

  function make(name, properties = {}, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  }

  const plain = (values) => [["", "not stated"], ...values.map((each) => [each, each])];

  // Each makes a labelled field that shows the value at `key` of `target`, null where it is empty.
  function choice(text, name, options, target, key, changed) {
    const box = make("select", {}, ...options.map(([value, word]) =>
      make("option", { value, textContent: word })));
    const of = (value) => (value === true ? "yes" : value === false ? "no" : value ?? "");
    box.value = of(target[key]);
    box.setAttribute("aria-label", name);
    box.onchange = () => {
      const yesNo = options === YES_NO ? { yes: true, no: false } : {};
      target[key] = box.value in yesNo ? yesNo[box.value] : box.value || null;
      changed();
    };
    return make("label", {}, `${text} `, box);
  }

  function number(text, name, target, key, changed, { step = 0.1, max = 200, unit = "" } = {}) {
    const box = make("input", { type: "number", min: step, max, step, value: target[key] ?? "" });
    box.setAttribute("aria-label", name);
    box.oninput = () => {
      target[key] = box.valueAsNumber > 0 ? box.valueAsNumber : null;
      changed();
    };
    return make("label", {}, `${text} `, box, unit);
  }

  function flag(text, target, key, changed) {
    const box = make("input", { type: "checkbox", checked: Boolean(target[key]) });
    box.onchange = () => {
      target[key] = box.checked;
      changed();
    };
    return make("label", {}, box, ` ${text}`);
  }

  // What a reader may correct of a finding: `decision` for what is measured, `facts` for the rest.
  function ofFinding(id, decision, facts, changed) {
    const on = (what) => `${what} of ${id}`;
    const mm = { unit: " mm" };
    return make("div", { className: "fields" },
      number("long axis", on("Long axis"), decision, "longAxis", changed, mm),
      number("short axis", on("Short axis"), decision, "shortAxis", changed, mm),
      choice("type", on("Type"), plain(TEXTURES), decision, "texture", changed),
      number("solid part, long axis", on("Solid long axis"), decision, "solidLong", changed, mm),
      number("short axis", on("Solid short axis"), decision, "solidShort", changed, mm),
      choice("lung", on("Lung"), plain(Object.keys(LOBES)), decision, "lung", changed),
      choice("lobe", on("Lobe"), plain(Object.values(LOBES).flat()), facts, "lobe", changed),
      choice("benign sign", on("Benign sign"), plain(BENIGN), facts, "benign_feature", changed),
      choice("spiculated", on("Spiculation"), YES_NO, facts, "spiculation", changed),
      choice("sits on the pleura", on("Pleural base"), YES_NO, facts, "pleural_based", changed));
  }

  // What is stated of the person and the exam, and what the reader alone decides.
  function ofExam(context, reader, changed) {
    const yesNo = (text, key) => choice(text, text, YES_NO, context, key, changed);
    return [
      choice("why nodules are looked for", "Setting", plain(SETTINGS), context, "setting", changed),
      number("age", "Age", context, "age_years", changed, { step: 1, max: 130, unit: " years" }),
      choice("sex", "Sex", plain(["female", "male"]), context, "sex", changed),
      choice("smoking", "Smoking", plain(["never", "former", "current"]), context, "smoking", changed),
      choice("risk of cancer", "Risk", plain(["low", "high"]), context, "risk", changed),
      yesNo("known cancer", "known_cancer"),
      yesNo("prior lung cancer", "prior_lung_cancer"),
      yesNo("immunosuppressed", "immunosuppressed"),
      yesNo("lung cancer in the family", "family_history"),
      yesNo("emphysema", "emphysema"),
      flag("4X: further signs of cancer", reader, "upgrade_to_4x", changed),
      flag("S: another significant finding", reader, "significant_other_finding", changed),
      choice("0, incomplete", "Incomplete", plain(INCOMPLETE), reader, "incomplete", changed),
      flag("a diffuse pattern is judged", reader, "diffuse_disease_judged", changed),
    ];
  }

  // The size as a review file holds it; null where the reader measured nothing, text where it is
  // not whole. Axes that the reader leaves out are the measured ones.
  function size(decision, measured) {
    const { texture, solidLong, solidShort } = decision;
    const longAxis = decision.longAxis ?? measured?.[0];
    const shortAxis = decision.shortAxis ?? measured?.[1];
    if (!decision.longAxis && !decision.shortAxis && !texture && !solidLong && !solidShort) return null;
    if (!longAxis || !shortAxis) return "give both axes";
    if (shortAxis > longAxis) return "the short axis is longer than the long one";
    if (Boolean(solidLong) !== Boolean(solidShort)) return "give both axes of the solid part";
    if (solidLong && (solidShort > solidLong || solidLong > longAxis)) return "the solid part is too large";
    if (solidLong && texture && texture !== "part-solid") return `a ${texture} nodule has no solid part`;
    return {
      long_axis_mm: longAxis,
      short_axis_mm: shortAxis,
      texture: texture || null,
      solid_axes_mm: solidLong ? [solidLong, solidShort] : null,
    };
  }

  return { ofFinding, ofExam, size };
})();
