// The head of a page: its name, what it is about, and what can be done here.
import { Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";

interface Props {
  title: string;
  about?: ReactNode;
  badge?: ReactNode;
  children?: ReactNode;
}

export function PageHeader({ title, about, badge, children }: Props) {
  useDocumentTitle(`${title} – Roadstead`);
  return (
    <Group justify="space-between" align="flex-end" mb="md" gap="sm">
      <Stack gap={2} miw={0}>
        <Group gap="sm" wrap="nowrap">
          <Title order={1} style={{ overflowWrap: "anywhere" }}>
            {title}
          </Title>
          {badge}
        </Group>
        {about && (
          <Text c="dimmed" size="sm" component="div">
            {about}
          </Text>
        )}
      </Stack>
      {children && <Group gap="xs">{children}</Group>}
    </Group>
  );
}
