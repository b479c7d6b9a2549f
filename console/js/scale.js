// Where a chart's axes have their marks.
export const DAY = 86_400_000;

const dayMonth = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const monthOnly = new Intl.DateTimeFormat('en-GB', { month: 'short' });
const monthYear = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric' });

export const linear = (from, to, start, end) => {
  const span = to - from || 1;
  return (value) => start + ((value - from) / span) * (end - start);
};

// Round numbers: 1, 2, 2.5 or 5 times a power of ten.
export function roundSteps(low, high, wanted) {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough * 0.999);
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function monthMarks(from, to, every) {
  const at = new Date(from);
  const marks = [];
  for (let month = new Date(at.getFullYear(), at.getMonth(), 1); month <= to; month = new Date(month.getFullYear(), month.getMonth() + 1, 1)) {
    if (month >= from && month.getMonth() % every === 0) marks.push([month.getTime(), (month.getMonth() === 0 || !marks.length ? monthYear : monthOnly).format(month)]);
  }
  return marks;
}

function dayMarks(from, to, every) {
  const at = new Date(to);
  const marks = [];
  for (let day = new Date(at.getFullYear(), at.getMonth(), at.getDate()); day >= from; day = new Date(day.getFullYear(), day.getMonth(), day.getDate() - every)) {
    marks.unshift([day.getTime(), dayMonth.format(day)]);
  }
  return marks;
}

// The finest marks that leave each label its room.
export function dateMarks(from, to, room) {
  const days = (to - from) / DAY;
  const steps = [...[1, 2, 7, 14].map((n) => [n, dayMarks, n]), ...[1, 2, 3, 6].map((n) => [n * 30.4, monthMarks, n])];
  const [, marks, every] = steps.find(([size]) => days / size <= room) ?? steps.at(-1);
  return marks(from, to, every);
}
