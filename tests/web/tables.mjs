// Reads the tables in a file as the page does, and prints what it sees.

import { readFileSync } from "node:fs";

const [folder, cases] = process.argv.slice(2);
const { seriesIn, seriesOf, tableOf } = await import(`${folder}/csv.mjs`);

const answers = JSON.parse(readFileSync(cases, "utf8")).map((text) => {
  try {
    const table = tableOf(text);
    const names = seriesIn(table);
    const { unit, every, periods, values, label } = seriesOf(table, 0, names[0]);
    const times = values.map((_, place) => label(place));
    return { unit, every, periods, names, values, times, next: label(values.length) };
  } catch (error) {
    return { error: error.key ?? String(error) };
  }
});
console.log(JSON.stringify(answers));
