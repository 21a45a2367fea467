// Times of the market's zone as a field for date and time has them, 2026-06-01T07:30.

/** A time in a zone. [ms] */
export const toLocal = (ms, zone) => new Date(ms).toLocaleString("sv-SE", { timeZone: zone }).slice(0, 16).replace(" ", "T");

/** The time of a field. [ms] Where a clock shows it twice, the first; where it skips it, the moment of the leap. */
export const fromLocal = (words, zone) => {
  const plain = Date.parse(`${words}Z`);
  const offset = (ms) => Date.parse(`${toLocal(ms, zone)}Z`) - Math.floor(ms / 60_000) * 60_000;
  const found = [offset(plain - 864e5), offset(plain + 864e5)].map((each) => plain - each).sort((one, other) => one - other);
  return found.find((ms) => toLocal(ms, zone) === words) ?? found[0];
};
