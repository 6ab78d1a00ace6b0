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

/** A time to the minute. */
export function short(at: string): string {
  return shortly.format(new Date(at));
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
