"use strict";
// Moves through the slices that slices.js draws: wheel, keys, drags, sliders, jumps.
(() => {
  const {
    settings, state, shape, spacing, origin, extent, middle, panes, PLANES,
    clamp, indexOf, scaleOf, toPixel, toPoint, sliceText, setWindow, draw, load,
  } = window.noduleSlices;
  const MAX_ZOOM = 12;
  const CLOSE_MM = 120; // seen after a jump to a finding

  const byId = (id) => document.getElementById(id);
  const section = byId("viewer");
  const status = byId("viewer-status");

  // ---- moving

  function moveTo(point) {
    state.cursor = point.map((value, axis) =>
      clamp(value, origin[axis], origin[axis] + (shape[axis] - 1) * spacing[axis]));
    draw();
  }

  function step(axis, count) {
    const point = [...state.cursor];
    const index = clamp(indexOf(point, axis) + count, 0, shape[axis] - 1);
    point[axis] = origin[axis] + index * spacing[axis];
    moveTo(point);
  }

  function zoomTo(zoom) {
    const before = state.zoom;
    state.zoom = clamp(zoom, 1, MAX_ZOOM);
    if (state.zoom === 1) state.centre = [...middle];
    else if (before === 1) state.centre = [...state.cursor];
    draw();
  }

  function jump(point, { scroll = true } = {}) {
    moveTo(point);
    state.centre = [...state.cursor];
    state.zoom = clamp(Math.max(...extent) / CLOSE_MM, state.zoom, MAX_ZOOM);
    draw();
    if (!scroll) return;
    section.scrollIntoView();
    panes[0].canvas.focus({ preventScroll: true });
  }

  function jumpToNext(direction) {
    const shown = state.marks.filter((mark) => mark.status !== "rejected");
    if (!shown.length) return;
    const now = shown.findIndex((mark) =>
      mark.look_at_lps_mm.every((v, axis) => Math.abs(v - state.cursor[axis]) < 0.01));
    const next = now < 0 ? (direction > 0 ? 0 : shown.length - 1) : now + direction;
    jump(shown[(next + shown.length) % shown.length].look_at_lps_mm, { scroll: false });
  }

  function toggle(id) {
    byId(id).checked = !byId(id).checked;
    draw();
  }

  function changeWindow(low, high) {
    setWindow(low, high);
    for (const button of section.querySelectorAll("[data-window]")) {
      const [, a, b] = settings.windows[button.dataset.window];
      button.setAttribute("aria-pressed", String(a === low && b === high));
    }
  }

  const preset = (n) => changeWindow(...settings.windows[n].slice(1));
  const KEYS = {
    ArrowUp: (axis) => step(axis, 1),
    ArrowDown: (axis) => step(axis, -1),
    PageUp: (axis) => step(axis, 10),
    PageDown: (axis) => step(axis, -10),
    Home: (axis) => step(axis, -shape[axis]),
    End: (axis) => step(axis, shape[axis]),
    "+": () => zoomTo(state.zoom * 1.25),
    "=": () => zoomTo(state.zoom * 1.25),
    "-": () => zoomTo(state.zoom / 1.25),
    0: () => zoomTo(1),
    1: () => preset(0),
    2: () => preset(1),
    3: () => preset(2),
    n: () => jumpToNext(1),
    p: () => jumpToNext(-1),
    m: () => toggle("viewer-marks"),
    l: () => toggle("viewer-lungs"),
  };

  function onKey(event, pane) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { normal, across, down, flip } = pane.plane;
    const moves = { // with Shift the crosshair moves within the plane
      ArrowLeft: [across, -1], ArrowRight: [across, 1], ArrowUp: [down, -flip], ArrowDown: [down, flip],
    };
    if (event.shiftKey && moves[event.key]) step(...moves[event.key]);
    else if (Object.hasOwn(KEYS, event.key)) KEYS[event.key](normal);
    else return;
    event.preventDefault();
  }

  function onWheel(event, pane) {
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) {
      zoomTo(state.zoom * Math.exp(-event.deltaY / 300));
      return;
    }
    // a wheel's notch is one slice, a touchpad's small deltas add up
    pane.turned += event.deltaMode ? event.deltaY * 40 : event.deltaY;
    const count = Math.abs(event.deltaY) >= 50 ? Math.sign(pane.turned) : Math.trunc(pane.turned / 20);
    if (!count) return;
    pane.turned = 0;
    step(pane.plane.normal, -count);
  }

  function onDrag(event, pane) {
    if (!pane.drag) return;
    const ratio = pane.canvas.width / pane.canvas.clientWidth;
    if (pane.drag === "window") {
      const width = Math.max(state.width + 4 * event.movementX, settings.step_hu);
      const level = state.level + 4 * event.movementY;
      changeWindow(level - width / 2, level + width / 2);
    } else if (pane.drag === "pan") {
      const { across, down, flip } = pane.plane;
      const scale = scaleOf(pane) / ratio;
      state.centre[across] -= event.movementX / scale;
      state.centre[down] -= (flip * event.movementY) / scale;
      draw();
    } else {
      moveTo(toPoint(pane, event.offsetX * ratio, event.offsetY * ratio));
    }
  }

  function onPress(event, pane) {
    pane.canvas.setPointerCapture(event.pointerId);
    if (event.button === 0) pane.drag = event.shiftKey && state.zoom > 1 ? "pan" : "cross";
    else pane.drag = event.button === 2 ? "window" : "pan";
    onDrag(event, pane);
  }

  // ---- building

  function resize(pane) {
    pane.canvas.width = Math.max(1, Math.round(pane.canvas.clientWidth * devicePixelRatio));
    pane.canvas.height = Math.max(1, Math.round(pane.canvas.clientHeight * devicePixelRatio));
    draw();
  }

  function makePane(figure) {
    const name = figure.dataset.plane;
    const plane = PLANES[name];
    const canvas = figure.querySelector("canvas");
    const slice = document.createElement("canvas");
    slice.width = shape[plane.across];
    slice.height = shape[plane.down];
    const pane = {
      name, plane, canvas, slice, turned: 0, drag: null,
      image: new ImageData(slice.width, slice.height),
      slider: figure.querySelector("input"),
      caption: figure.querySelector(".place"),
    };
    pane.slider.max = shape[plane.normal] - 1;
    pane.slider.addEventListener("input", () =>
      step(plane.normal, pane.slider.value - indexOf(state.cursor, plane.normal)));
    canvas.addEventListener("keydown", (event) => onKey(event, pane));
    canvas.addEventListener("wheel", (event) => onWheel(event, pane), { passive: false });
    canvas.addEventListener("pointerdown", (event) => onPress(event, pane));
    canvas.addEventListener("pointermove", (event) => onDrag(event, pane));
    canvas.addEventListener("lostpointercapture", () => { pane.drag = null; });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    new ResizeObserver(() => resize(pane)).observe(canvas);
    return pane;
  }

  function connect() {
    for (const button of section.querySelectorAll("[data-window]")) {
      button.addEventListener("click", () => preset(button.dataset.window));
    }
    for (const id of ["viewer-marks", "viewer-lungs"]) byId(id).addEventListener("change", draw);
    byId("viewer-fit").addEventListener("click", () => zoomTo(1));
    for (const element of document.querySelectorAll("[data-jump]")) {
      const go = () => {
        const mark = state.marks.find((each) => each.id === element.dataset.jump);
        if (mark) jump(mark.look_at_lps_mm);
      };
      element.hidden = false;
      element.addEventListener("click", go);
    }
  }

  async function start() {
    if (typeof DecompressionStream === "undefined") {
      status.textContent =
        "This browser cannot unpack the images (no DecompressionStream). The rest of the page is complete.";
      return;
    }
    try {
      await load();
    } catch (error) {
      status.textContent = `The images in this page cannot be read: ${error.message}.`;
      return;
    }
    state.marks = settings.findings.map((finding) => ({ ...finding, status: "open" }));
    byId("viewer-body").hidden = false;
    for (const figure of section.querySelectorAll("[data-plane]")) panes.push(makePane(figure));
    connect();
    preset(0);
    if (state.marks.length) moveTo(state.marks[0].look_at_lps_mm);
    status.hidden = true;
    section.dataset.ready = "";
    document.dispatchEvent(new Event("viewer-ready"));
  }

  window.noduleViewer = {
    cursor: () => [...state.cursor],
    jump,
    sliceText,
    toPixel: (plane, point) => toPixel(panes.find((pane) => pane.name === plane), point),
    setMarks(marks) {
      state.marks = marks;
      draw();
    },
  };
  start();
})();
