// Actions of one kind in a line, with what they are for: where a thing can do more than a row of buttons tells.
import { Group } from "@mantine/core";
import type { ReactNode } from "react";

export function ActionRows({ children }: { children: ReactNode }) {
  return <div className="action-rows">{children}</div>;
}

export function ActionRow({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="action-row" role="group" aria-label={title}>
      <span>{title}</span>
      <Group gap="xs">{children}</Group>
    </div>
  );
}
