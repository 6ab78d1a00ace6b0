// Names and values, one under the other; in two columns where there is room.
import type { ReactNode } from "react";

/** A name and its value; without a value it is left out. */
export type Fact = [string, ReactNode];

export function Facts({ facts }: { facts: Fact[] }) {
  const told = facts.filter(
    ([, value]) => value !== undefined && value !== null && value !== "" && value !== false,
  );
  return (
    <dl className="facts">
      {told.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
