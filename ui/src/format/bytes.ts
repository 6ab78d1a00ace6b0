// Sizes in binary units, as the command line shows them.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** A size for people: `50.6 MiB`. */
export function bytes(size: number): string {
  let unit = 0;
  let value = size;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A number with its thousands apart. */
export function count(number: number): string {
  return number.toLocaleString("en-GB");
}

/** A number of things: `1 file`, `2 files`. */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}
