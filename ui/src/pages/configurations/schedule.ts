// A schedule's text form, taken apart for the editor and put together again.

export type ScheduleKind = "manual" | "hourly" | "daily" | "weekly" | "cron";

export interface ScheduleParts {
  kind: ScheduleKind;
  hours: number;
  time: string;
  day: string;
  expression: string;
}

export const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const USUAL: ScheduleParts = {
  kind: "manual",
  hours: 6,
  time: "03:00",
  day: "sunday",
  expression: "0 3 * * *",
};

/** `weekly:monday@02:30` as its parts; the other kinds' parts are as usual. */
export function parseSchedule(text: string): ScheduleParts {
  const hourly = /^hourly:(\d+)$/.exec(text);
  if (hourly) return { ...USUAL, kind: "hourly", hours: Number(hourly[1]) };
  const daily = /^daily@(\d\d:\d\d)$/.exec(text);
  if (daily) return { ...USUAL, kind: "daily", time: daily[1] ?? USUAL.time };
  const weekly = /^weekly:(\w+)@(\d\d:\d\d)$/.exec(text);
  if (weekly) {
    const day = DAYS.find((name) => name.startsWith((weekly[1] ?? "").toLowerCase().slice(0, 3)));
    return { ...USUAL, kind: "weekly", day: day ?? USUAL.day, time: weekly[2] ?? USUAL.time };
  }
  const cron = /^cron:(.+)$/.exec(text);
  if (cron) return { ...USUAL, kind: "cron", expression: cron[1] ?? USUAL.expression };
  return USUAL;
}

/** The text form. */
export function formatSchedule(parts: ScheduleParts): string {
  switch (parts.kind) {
    case "hourly":
      return `hourly:${parts.hours}`;
    case "daily":
      return `daily@${parts.time}`;
    case "weekly":
      return `weekly:${parts.day.slice(0, 3)}@${parts.time}`;
    case "cron":
      return `cron:${parts.expression}`;
    default:
      return "manual";
  }
}

/** The schedule as a sentence. */
export function tellSchedule(text: string): string {
  const parts = parseSchedule(text);
  const day = parts.day.charAt(0).toUpperCase() + parts.day.slice(1);
  switch (parts.kind) {
    case "hourly":
      return parts.hours === 1 ? "Every hour" : `Every ${parts.hours} hours`;
    case "daily":
      return `Every day at ${parts.time}`;
    case "weekly":
      return `${day}s at ${parts.time}`;
    case "cron":
      return `As cron says: ${parts.expression}`;
    default:
      return "When somebody starts it";
  }
}
