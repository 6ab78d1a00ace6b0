// The time zones that a browser knows.

/** Their names, `UTC` first and the one in use surely among them. */
export function zones(current: string): string[] {
  return [...new Set(["UTC", current, ...Intl.supportedValuesOf("timeZone")])];
}
