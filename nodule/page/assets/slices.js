"use strict";
// Draws the embedded volume in three planes. Points are LPS millimetres [x, y, z]; the grid is
// aligned with LPS and x runs fastest. What is shown is `state`; viewer.js changes it.
(() => {
  const PLANES = {
    axial: { normal: 2, across: 0, down: 1, flip: 1, edges: ["R", "L", "A", "P"] },
    coronal: { normal: 1, across: 0, down: 2, flip: -1, edges: ["R", "L", "H", "F"] },
    sagittal: { normal: 0, across: 1, down: 2, flip: -1, edges: ["A", "P", "H", "F"] },
  };
  const COLOUR = {
    open: "#ffd54a", accepted: "#63d6a4", rejected: "#ff8a7d", added: "#c9a2ff",
    lungs: "#5cc3e4", cross: "rgba(120, 220, 120, .75)", letters: "#c9d3dc",
  };
  const GAP_PX = 9; // the crosshair leaves its middle free

  const byId = (id) => document.getElementById(id);
  const settings = JSON.parse(byId("viewer-settings").textContent);
  const { shape_xyz: shape, spacing_xyz_mm: spacing, origin_lps_mm: origin } = settings;
  const stride = [1, shape[0], shape[0] * shape[1]];
  const extent = shape.map((n, axis) => n * spacing[axis]);
  const middle = shape.map((n, axis) => origin[axis] + ((n - 1) / 2) * spacing[axis]);

  const state = {
    cursor: [...middle], centre: [...middle], zoom: 1, level: 0, width: 1, marks: [],
  };
  let voxels, lungs;
  let frame = 0;
  const panes = [];
  const greyLevels = new Uint32Array(256);

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const indexOf = (point, axis) =>
    clamp(Math.round((point[axis] - origin[axis]) / spacing[axis]), 0, shape[axis] - 1);
  const minus = (number) => String(number).replace("-", "−");

  // ---- from the page's text to voxels

  async function unpack(id) {
    const text = atob(byId(id).textContent.trim());
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const content = new Uint8Array(await new Response(stream).arrayBuffer());
    if (content.length !== shape[0] * shape[1] * shape[2]) throw new Error("wrong size");
    return content;
  }

  // ---- reading out

  function sliceOf(point) {
    const [a, b, c, d] = settings.slice_of_lps;
    const z = Math.round(a * point[0] + b * point[1] + c * point[2] + d);
    return clamp(z, 0, settings.slice_count - 1);
  }

  function huAt(point) {
    const at = point.reduce((sum, _, axis) => sum + indexOf(point, axis) * stride[axis], 0);
    return settings.lowest_hu + settings.step_hu * voxels[at];
  }

  function sliceText(point) {
    const z = sliceOf(point);
    const image = settings.instance_numbers[z];
    const count = `slice ${z + 1} of ${settings.slice_count}`;
    return image === undefined || image === null ? count : `image ${image} (${count})`;
  }

  // ---- drawing

  function setWindow(low, high) {
    state.level = (low + high) / 2;
    state.width = Math.max(high - low, settings.step_hu);
    for (let grey = 0; grey < 256; grey++) {
      const hu = settings.lowest_hu + settings.step_hu * grey;
      const share = clamp((hu - state.level) / state.width + 0.5, 0, 1);
      greyLevels[grey] = 0xff000000 | (Math.round(share * 255) * 0x010101);
    }
    draw();
  }

  function cut(pane) {
    const { normal, across, down, flip } = pane.plane;
    const [w, h] = [shape[across], shape[down]];
    const base = indexOf(state.cursor, normal) * stride[normal];
    const pixels = new Uint32Array(pane.image.data.buffer);
    for (let row = 0; row < h; row++) {
      let at = base + (flip > 0 ? row : h - 1 - row) * stride[down];
      for (let column = 0; column < w; column++, at += stride[across]) {
        pixels[row * w + column] = greyLevels[voxels[at]];
      }
    }
    pane.slice.getContext("2d").putImageData(pane.image, 0, 0);
  }

  function scaleOf(pane) {
    const { across, down } = pane.plane;
    const { width, height } = pane.canvas;
    return state.zoom * Math.min(width / extent[across], height / extent[down]);
  }

  function toPixel(pane, point) {
    const { across, down, flip } = pane.plane;
    const scale = scaleOf(pane);
    return [
      pane.canvas.width / 2 + (point[across] - state.centre[across]) * scale,
      pane.canvas.height / 2 + flip * (point[down] - state.centre[down]) * scale,
    ];
  }

  function toPoint(pane, x, y) {
    const { across, down, flip } = pane.plane;
    const scale = scaleOf(pane);
    const point = [...state.cursor];
    point[across] = state.centre[across] + (x - pane.canvas.width / 2) / scale;
    point[down] = state.centre[down] + (flip * (y - pane.canvas.height / 2)) / scale;
    return point;
  }

  function drawPane(pane) {
    const { across, down, flip } = pane.plane;
    const context = pane.canvas.getContext("2d");
    const { width, height } = pane.canvas;
    const scale = scaleOf(pane);
    const corner = [...origin];
    corner[across] -= spacing[across] / 2;
    corner[down] += flip > 0 ? -spacing[down] / 2 : (shape[down] - 0.5) * spacing[down];
    const [left, top] = toPixel(pane, corner);
    cut(pane);
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(pane.slice, left, top, extent[across] * scale, extent[down] * scale);
    if (byId("viewer-lungs").checked) drawLungs(pane, context);
    if (byId("viewer-marks").checked) drawMarks(pane, context);
    drawCross(pane, context);
    drawFrame(pane, context);
    pane.slider.value = indexOf(state.cursor, pane.plane.normal);
    describe(pane);
  }

  // Marching squares between voxel centres: a border crosses each cell whose corners differ.
  function drawLungs(pane, context) {
    const { normal, across, down } = pane.plane;
    const base = indexOf(state.cursor, normal) * stride[normal];
    const inside = (i, j) => lungs[base + i * stride[across] + j * stride[down]];
    const point = [...state.cursor];
    const spot = (i, j) => {
      point[across] = origin[across] + i * spacing[across];
      point[down] = origin[down] + j * spacing[down];
      return toPixel(pane, point);
    };
    context.beginPath();
    for (let j = 0; j + 1 < shape[down]; j++) {
      for (let i = 0; i + 1 < shape[across]; i++) {
        const [a, b, c, d] = [inside(i, j), inside(i + 1, j), inside(i + 1, j + 1), inside(i, j + 1)];
        if (a === b && b === c && c === d) continue;
        const crossed = [];
        if (a !== b) crossed.push([i + 0.5, j]);
        if (b !== c) crossed.push([i + 1, j + 0.5]);
        if (c !== d) crossed.push([i + 0.5, j + 1]);
        if (d !== a) crossed.push([i, j + 0.5]);
        crossed.forEach((place, n) => {
          if (n % 2) context.lineTo(...spot(...place));
          else context.moveTo(...spot(...place));
        });
      }
    }
    context.strokeStyle = COLOUR.lungs;
    context.lineWidth = 1.2 * devicePixelRatio;
    context.stroke();
  }

  function drawMarks(pane, context) {
    const ratio = devicePixelRatio;
    context.font = `600 ${13 * ratio}px system-ui, sans-serif`;
    context.textAlign = "left";
    for (const mark of state.marks) {
      const away = mark.center_lps_mm[pane.plane.normal] - state.cursor[pane.plane.normal];
      if (Math.abs(away) >= mark.radius_mm) continue;
      const radius = Math.sqrt(mark.radius_mm ** 2 - away ** 2) * scaleOf(pane);
      const [x, y] = toPixel(pane, mark.center_lps_mm);
      context.beginPath();
      context.arc(x, y, Math.max(radius, 3 * ratio), 0, 2 * Math.PI);
      context.setLineDash(mark.status === "rejected" ? [4 * ratio, 4 * ratio] : []);
      context.strokeStyle = COLOUR[mark.status];
      context.lineWidth = 1.6 * ratio;
      context.stroke();
      context.setLineDash([]);
      write(context, mark.id, x + 0.75 * radius + 4 * ratio, y - 0.75 * radius, COLOUR[mark.status]);
    }
  }

  function drawCross(pane, context) {
    const ratio = devicePixelRatio;
    const [x, y] = toPixel(pane, state.cursor).map((v) => Math.round(v) + 0.5);
    const gap = GAP_PX * ratio;
    context.beginPath();
    for (const [x1, y1, x2, y2] of [
      [0, y, x - gap, y], [x + gap, y, pane.canvas.width, y],
      [x, 0, x, y - gap], [x, y + gap, x, pane.canvas.height],
    ]) {
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
    }
    context.strokeStyle = COLOUR.cross;
    context.lineWidth = ratio;
    context.stroke();
  }

  function drawFrame(pane, context) {
    const { width, height } = pane.canvas;
    const ratio = devicePixelRatio;
    const [left, right, top, bottom] = pane.plane.edges;
    context.font = `600 ${12 * ratio}px system-ui, sans-serif`;
    context.textAlign = "center";
    write(context, left, 10 * ratio, height / 2);
    write(context, right, width - 10 * ratio, height / 2);
    write(context, top, width / 2, 15 * ratio);
    write(context, bottom, width / 2, height - 7 * ratio);
  }

  function write(context, text, x, y, colour = COLOUR.letters) {
    context.lineWidth = 3 * devicePixelRatio;
    context.strokeStyle = "#000";
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }

  function describe(pane) {
    const axis = pane.plane.normal;
    const mm = `${"xyz"[axis]} ${minus(state.cursor[axis].toFixed(1))} mm`;
    const text = pane.name === "axial" ? `${sliceText(state.cursor)}, ${mm}` : mm;
    pane.caption.textContent = text;
    pane.slider.setAttribute("aria-valuetext", text);
  }

  function drawAll() {
    frame = 0;
    for (const pane of panes) drawPane(pane);
    const place = state.cursor.map((v) => minus(v.toFixed(1))).join(", ");
    byId("viewer-readout").textContent =
      `${sliceText(state.cursor)} · LPS ${place} mm · ≈ ${minus(huAt(state.cursor))} HU`;
    byId("viewer-window").textContent =
      `W ${Math.round(state.width)} L ${minus(Math.round(state.level))} · ${state.zoom.toFixed(1)}×`;
  }

  function draw() {
    if (voxels && !frame) frame = requestAnimationFrame(drawAll);
  }

  window.noduleSlices = {
    settings, state, shape, spacing, origin, extent, middle, panes, PLANES,
    clamp, indexOf, scaleOf, toPixel, toPoint, sliceText, setWindow, draw,
    async load() {
      [voxels, lungs] = await Promise.all([unpack("viewer-voxels"), unpack("viewer-lung-voxels")]);
    },
  };
})();
