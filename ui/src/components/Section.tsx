// A part of a page, with its name.
import { Group, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  title: string;
  actions?: ReactNode;
  /** Whether the content reaches to the edges, as tables do. */
  flush?: boolean;
  children: ReactNode;
}

export function Section({ title, actions, flush = false, children }: Props) {
  return (
    <section className="panel" aria-label={title} style={{ marginBottom: 16 }}>
      <Group justify="space-between" px="md" pt="sm" pb={flush ? "sm" : 6}>
        <Title order={2}>{title}</Title>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      <div style={flush ? undefined : { padding: "6px 16px 16px" }}>{children}</div>
    </section>
  );
}
