// What a list shows that has nothing: what would be here, and how to get it here.
import { Stack, Text, ThemeIcon } from "@mantine/core";
import type { Icon } from "@tabler/icons-react";
import type { ReactNode } from "react";

export interface Emptiness {
  icon: Icon;
  title: string;
  hint?: ReactNode;
  action?: ReactNode;
}

export function EmptyState({ icon: Picture, title, hint, action }: Emptiness) {
  return (
    <Stack align="center" gap="xs" py={48} px="md" ta="center" role="status">
      <ThemeIcon size={52} radius="xl" variant="light">
        <Picture size={28} stroke={1.5} aria-hidden />
      </ThemeIcon>
      <Text fw={600}>{title}</Text>
      {hint && (
        <Text c="dimmed" size="sm" maw={460} component="div">
          {hint}
        </Text>
      )}
      {action}
    </Stack>
  );
}
