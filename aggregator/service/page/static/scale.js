// Where values and times lie in a drawing, and which of them are marked.

/** Return values to mark between two, about `wanted` of them, each a round one. */
export const roundMarks = (least, most, wanted) => {
  const rough = (most - least) / Math.max(1, wanted);
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * ten).find((each) => each >= rough);
  const marks = [];
  for (let value = Math.ceil(least / step) * step; value <= most + step / 1e6; value += step) {
    marks.push(Math.abs(value) < step / 1e6 ? 0 : value);
  }
  return marks;
};

/** Return the range that holds values and zero, wide enough to be drawn. */
export const range = (values, { zero = true } = {}) => {
  let [least, most] = zero ? [0, 0] : [Infinity, -Infinity];
  for (const value of values) {
    if (value === null || value === undefined) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (!(least <= most)) return [0, 1];
  if (least === most) return [least - (least ? Math.abs(least) * 0.1 : 0), most + (Math.abs(most) * 0.1 || 1)];
  const room = (most - least) * 0.06;
  return [least < 0 || !zero ? least - room : least, most > 0 || !zero ? most + room : most];
};

const MINUTE_MS = 60_000;
const STEPS_MIN = [5, 15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 5760, 10080];

// making one takes longer than a hundred uses
const clocks = new Map();
const localParts = (zone) => {
  if (!clocks.has(zone)) clocks.set(zone, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", day: "numeric", month: "short", hourCycle: "h23" }));
  const clock = clocks.get(zone);
  return (ms) => Object.fromEntries(clock.formatToParts(ms).map(({ type, value }) => [type, value]));
};

/** Return times to mark, [{ms, label}], at most `most` of them, at round local times. */
export const timeMarks = ([from, to], zone, most) => {
  const step = STEPS_MIN.find((each) => (to - from) / (each * MINUTE_MS) <= most) ?? STEPS_MIN.at(-1);
  const parts = localParts(zone);
  const grain = Math.min(step, 60) * MINUTE_MS;
  const marks = [];
  let days = 0;
  for (let ms = Math.ceil(from / grain) * grain; ms <= to; ms += grain) {
    const { hour, minute, day, month } = parts(ms);
    const ofDay = Number(hour) * 60 + Number(minute);
    if (step > 1440) {
      if (ofDay !== 0) continue;
      days += 1;
      if ((days - 1) % (step / 1440) !== 0) continue;
    } else if (ofDay % step !== 0) continue;
    const midnight = ofDay === 0 && to - from > 1.2 * 86_400_000;
    marks.push({ ms, label: midnight || step >= 1440 ? `${day} ${month}` : `${hour}:${minute}` });
  }
  return marks;
};
