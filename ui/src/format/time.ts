// Times in the viewer's own zone, and how long things take.

const STEPS: [number, Intl.RelativeTimeFormatUnit][] = [
  [60, "second"],
  [60, "minute"],
  [24, "hour"],
  [30, "day"],
  [12, "month"],
  [Number.POSITIVE_INFINITY, "year"],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const exactly = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const shortly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const thisYear = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "numeric",
  minute: "2-digit",
});

const toTheSecond = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "numeric",
  minute: "2-digit",
  second: "2-digit",
});

/** How far off a time is: `3 min. ago`, `in 2 hr.`. */
export function ago(at: string, now: number): string {
  let distance = (Date.parse(at) - now) / 1000;
  if (Math.abs(distance) < 5) return "now";
  for (const [size, unit] of STEPS) {
    if (Math.abs(distance) < size) return relative.format(Math.round(distance), unit);
    distance /= size;
  }
  return at;
}

/** A time to the second, with its zone. */
export function exact(at: string): string {
  return exactly.format(new Date(at));
}

/** A time to the minute; the year is told where it is another one than now. */
export function short(at: string): string {
  const time = new Date(at);
  const year = time.getFullYear() === new Date().getFullYear();
  return (year ? thisYear : shortly).format(time);
}

/** A time of these days to the second, for a line of a log. */
export function logged(at: string): string {
  return toTheSecond.format(new Date(at));
}

/** A span of time: `2.3 s`, `4 min 10 s`, `3 h 5 min`. */
export function span(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}
