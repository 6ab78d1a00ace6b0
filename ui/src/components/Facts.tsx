// Names and values, one under the other.
import { Fragment, type ReactNode } from "react";

export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  const told = facts.filter(
    ([, value]) => value !== undefined && value !== null && value !== "" && value !== false,
  );
  return (
    <dl className="facts" style={{ margin: 0 }}>
      {told.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
