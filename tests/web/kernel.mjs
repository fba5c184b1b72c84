// Runs the kernel of the page on the cases in a file, and prints what it answers.

import { readFileSync } from "node:fs";

const [folder, weights, cases] = process.argv.slice(2);
const { Network, weightsIn } = await import(`${folder}/network.mjs`);
const { forecast, networkAlone, panelOf } = await import(`${folder}/forecast.mjs`);

const network = new Network(weightsIn(new Uint8Array(readFileSync(weights))), 24);
const answers = JSON.parse(readFileSync(cases, "utf8")).map((one) => {
  const values = one.values.map((value) => value ?? NaN);
  const panel = panelOf(values, one);
  const begin = performance.now();
  const alone = networkAlone(network, panel, [values.length], one.horizon)[0];
  const made = forecast(network, panel, one.horizon);
  return { alone, ...made, seconds: (performance.now() - begin) / 1000 };
});
console.log(JSON.stringify(answers));
