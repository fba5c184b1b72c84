// Forecasts in a worker, so that the page stays alive; in the page itself where there is none.

/** What answers requests; `kernel` is what the page's script of that name defines. */
function answering(kernel, weights, horizon) {
  const bytes = Uint8Array.from(atob(weights), (letter) => letter.charCodeAt(0));
  const network = new kernel.Network(kernel.weightsIn(bytes), horizon);
  return ({ values, frequency, horizon: steps }) =>
    kernel.forecast(network, kernel.panelOf(values, frequency), steps);
}

/** The program of the worker: it is given the weights first, then requests. */
function listen(kernel) {
  let answer = null;
  globalThis.onmessage = ({ data }) => {
    if (data.weights) {
      answer = answering(kernel, data.weights, data.horizon);
      return;
    }
    try {
      globalThis.postMessage({ id: data.id, made: answer(data.request) });
    } catch (error) {
      globalThis.postMessage({ id: data.id, reason: error.message });
    }
  };
}

/** A function that gives a promise of the forecast of a series. */
export function computing(kernel, source, weights, horizon) {
  const worker = workerOf(`${source}\n${answering}\n(${listen})(kernel);`);
  if (!worker) {
    const answer = answering(kernel, weights, horizon);
    return async (request) => answer(request);
  }
  worker.postMessage({ weights, horizon });
  const waiting = new Map();
  worker.onmessage = ({ data }) => {
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.made) resolve(data.made);
    else reject(new Error(data.reason));
  };
  let last = 0;
  return (request) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      worker.postMessage({ id: last, request });
    });
}

function workerOf(source) {
  try {
    return new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  } catch {
    return null; // some browsers have none for a page that is a file
  }
}
