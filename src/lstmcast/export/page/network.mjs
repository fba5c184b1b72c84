// The network: dense layer, residual LSTM layers, head. lstmcast/model/network.py and lstm.py.

import { counting } from "./numbers.mjs";

const MIDDLE = 3; // the median of seven quantiles
const QUANTILES = 7;

/** The weights of a network, from the bytes of a .safetensors file. */
export function weightsIn(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const arrays = {};
  for (const [name, about] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [first, last] = about.data_offsets.map((offset) => 8 + length + offset);
    const own = bytes.slice(first, last);
    arrays[name] = { shape: about.shape, data: Float64Array.from(new Float32Array(own.buffer)) };
  }
  return arrays;
}

/**
 * Added to `out`: a matrix, row by row, times a vector, whose length is a multiple of four. Most of
 * a forecast's time goes here: four sums need not wait for each other.
 */
function addProduct(matrix, vector, out) {
  const width = vector.length;
  for (let r = 0, at = 0; r < out.length; r += 1, at += width) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let k = 0; k < width; k += 4) {
      a += matrix[at + k] * vector[k];
      b += matrix[at + k + 1] * vector[k + 1];
      c += matrix[at + k + 2] * vector[k + 2];
      d += matrix[at + k + 3] * vector[k + 3];
    }
    out[r] += a + b + (c + d);
  }
  return out;
}

const affine = (weight, bias, x) => addProduct(weight.data, x, bias.data.slice());

const sigmoid = (a) => 1 / (1 + Math.exp(-a));

const softplus = (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));

/** One of the networks whose answers are averaged. */
class Member {
  constructor(arrays, horizon) {
    Object.assign(this, { arrays, horizon });
    const layers = Object.keys(arrays).filter((name) => /^lstm\.\d+\.bias$/.test(name));
    this.layers = counting(layers.length).map((k) =>
      Object.fromEntries(
        ["weight_ih", "weight_hh", "bias"].map((part) => [part, arrays[`lstm.${k}.${part}`]]),
      ),
    );
  }

  start() {
    return this.layers.map(({ weight_hh: recurrent }) => {
      const units = recurrent.shape[1];
      return { h: new Float64Array(units), c: new Float64Array(units) };
    });
  }

  /** Read one step: what the stack gives, and the new state. */
  step(x, state) {
    let a = affine(this.arrays["embed.0.weight"], this.arrays["embed.0.bias"], x);
    const after = this.layers.map((layer, k) => {
      const next = lstmStep(layer, a, state[k]);
      a = a.length === next.h.length ? next.h.map((h, d) => h + a[d]) : next.h;
      return next;
    });
    return { hidden: a, state: after };
  }

  /** Quantiles of the coming steps in units of the network. */
  answer(hidden, x) {
    const raw = affine(this.arrays["head.weight"], this.arrays["head.bias"], hidden);
    const moved = addProduct(this.arrays["skip.weight"].data, x, new Float64Array(this.horizon));
    return counting(this.horizon).map((h) => {
      const own = Array.from(raw.subarray(h * QUANTILES, (h + 1) * QUANTILES));
      own[MIDDLE] += moved[h];
      return ordered(own);
    });
  }
}

function lstmStep({ weight_ih: input, weight_hh: recurrent, bias }, x, { h, c }) {
  const units = h.length;
  const sums = affine(input, bias, x);
  addProduct(recurrent.data, h, sums);
  const next = { h: new Float64Array(units), c: new Float64Array(units) };
  for (let d = 0; d < units; d += 1) {
    const write = sigmoid(sums[d]) * Math.tanh(sums[2 * units + d]);
    next.c[d] = sigmoid(sums[units + d]) * c[d] + write;
    next.h[d] = sigmoid(sums[3 * units + d]) * Math.tanh(next.c[d]);
  }
  return next;
}

/** Quantiles that cannot cross: the median as it is, the others by positive steps away. */
function ordered(raw) {
  const quantiles = [...raw];
  for (let q = MIDDLE + 1; q < QUANTILES; q += 1) quantiles[q] = quantiles[q - 1] + softplus(raw[q]);
  for (let q = MIDDLE - 1; q >= 0; q -= 1) quantiles[q] = quantiles[q + 1] - softplus(raw[q]);
  return quantiles;
}

export class Network {
  constructor(arrays, horizon) {
    const names = Object.keys(arrays);
    const members = new Set(names.map((name) => name.split(".")[0]));
    this.horizon = horizon;
    this.members = [...members].sort().map((member) => {
      const own = names.filter((name) => name.startsWith(`${member}.`));
      const parts = own.map((name) => [name.slice(member.length + 1), arrays[name]]);
      return new Member(Object.fromEntries(parts), horizon);
    });
  }

  start() {
    return this.members.map((member) => member.start());
  }

  /** Read one step: what each stack gives, and the new states. */
  step(x, states) {
    const read = this.members.map((member, m) => member.step(x, states[m]));
    return { hidden: read.map((one) => one.hidden), states: read.map((one) => one.state) };
  }

  /** What the members say on average: quantiles of each coming step. */
  answer(hidden, x) {
    const answers = this.members.map((member, m) => member.answer(hidden[m], x));
    return answers[0].map((row, h) =>
      row.map((_, q) => answers.reduce((total, one) => total + one[h][q], 0) / answers.length),
    );
  }
}
