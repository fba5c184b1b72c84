// Reads the tables in a file as the page does, and prints what it sees.

import { readFileSync } from "node:fs";

const [folder, cases] = process.argv.slice(2);
const { fileOf } = await import(`${folder}/app.mjs`);
const { idsOf, seriesIn, seriesOf, tableOf } = await import(`${folder}/csv.mjs`);

const answers = JSON.parse(readFileSync(cases, "utf8")).map((text) => {
  try {
    const table = tableOf(text);
    const names = seriesIn(table);
    const series = { ...seriesOf(table, 0, names[0]), ids: idsOf(table, names[0]) };
    const { unit, every, periods, values, label } = series;
    const times = values.map((_, place) => label(place));
    const file = fileOf(series, { levels: [0.5], quantiles: [[1, 2, 3, 4, 5, 6, 7]] }).split("\n");
    return { unit, every, periods, names, file, values, times, next: label(values.length) };
  } catch (error) {
    return { error: error.key ?? String(error) };
  }
});
console.log(JSON.stringify(answers));
