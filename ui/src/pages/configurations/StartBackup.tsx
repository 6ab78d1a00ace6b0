// Starts a backup now, and goes to it.
import { Button, type ButtonProps } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { post } from "../../api/call";

export function StartBackup({
  id,
  label = "Start",
  ...button
}: ButtonProps & { id: number; label?: string }) {
  const navigate = useNavigate();
  const start = useAction(() => post("/backups", {}, { configuration_id: id }), {
    changes: ["backup", "activity"],
    after: (backup) => void navigate({ to: `/backups/${backup.id}` }),
  });
  return (
    <Button
      size="xs"
      variant="light"
      leftSection={<IconPlayerPlay size={14} />}
      {...button}
      loading={start.isPending}
      onClick={() => start.mutate()}
    >
      {label}
    </Button>
  );
}
