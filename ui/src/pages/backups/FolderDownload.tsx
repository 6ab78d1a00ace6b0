// A folder of a backup with everything in it, as an archive.
import { ActionIcon, Menu } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { urlOf } from "../../api/call";

const FORMS = [
  { format: "tar", label: "As tar: owners, times and links as they were" },
  { format: "zip", label: "As zip: for any computer" },
];

export function FolderDownload({ backup, path }: { backup: number; path: string }) {
  return (
    <Menu position="bottom-end" width={300}>
      <Menu.Target>
        <ActionIcon variant="subtle" aria-label={`Download ${path}`}>
          <IconDownload size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {FORMS.map(({ format, label }) => (
          <Menu.Item
            key={format}
            component="a"
            href={urlOf("/backups/{id}/archive", { path: { id: backup }, query: { path, format } })}
            download
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
