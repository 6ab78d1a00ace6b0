// A line to be taken elsewhere.
import { ActionIcon, CopyButton, Group, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

export function CopyLine({ text, label }: { text: string; label: string }) {
  return (
    <Group wrap="nowrap" align="flex-start" className="panel" p="xs" gap="xs">
      <code className="mono" style={{ flex: 1, whiteSpace: "pre-wrap" }}>
        {text}
      </code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? "Copied" : "Copy"}>
            <ActionIcon variant="subtle" onClick={copy} aria-label={`Copy ${label}`}>
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}
