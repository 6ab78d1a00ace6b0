// Chooses paths in the agent's own file system, as it is now.
import {
  Alert,
  Breadcrumbs,
  Button,
  Checkbox,
  Group,
  Loader,
  Modal,
  ScrollArea,
  Stack,
  Text,
  UnstyledButton,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconFile, IconFolder, IconFolderSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useList } from "../../api/lists";
import type { File } from "../../api/schema";
import { bytes, plural } from "../../format/bytes";

interface Props {
  agent: number;
  chosen: string[];
  onChange: (paths: string[]) => void;
}

export function PathPicker(props: Props) {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="light" leftSection={<IconFolderSearch size={15} />} onClick={open}>
        Choose on the machine
      </Button>
      <Modal opened={opened} onClose={close} title="Files and folders of the machine" size="lg">
        <Picker {...props} />
        <Group justify="space-between" mt="md">
          <Text size="sm" c="dimmed" aria-live="polite">
            {plural(props.chosen.length, "path")} chosen
          </Text>
          <Button onClick={close}>Done</Button>
        </Group>
      </Modal>
    </>
  );
}

function Picker({ agent, chosen, onChange }: Props) {
  const [folder, setFolder] = useState("/");
  const list = useList("agent_file", "/agents/{id}/files", { path: { id: agent }, query: { path: folder } });
  const toggle = (path: string) =>
    onChange(chosen.includes(path) ? chosen.filter((one) => one !== path) : [...chosen, path]);
  return (
    <Stack gap="xs">
      <Way folder={folder} go={setFolder} />
      {list.error && <Alert color="red">{list.error.message}</Alert>}
      {list.isLoading && <Loader size="sm" aria-label={`Reading ${folder}`} />}
      <ScrollArea h="50dvh" className="panel" tabIndex={0} aria-label={`In ${folder}`}>
        {list.items.map((file) => (
          <Entry
            key={file.name}
            file={file}
            path={below(folder, file.name)}
            chosen={chosen}
            toggle={toggle}
            go={setFolder}
          />
        ))}
        {!list.isLoading && !list.error && list.items.length === 0 && (
          <Text size="sm" c="dimmed" p="sm">
            Empty
          </Text>
        )}
        {list.hasMore && (
          <Button size="xs" variant="subtle" m="xs" loading={list.isFetching} onClick={list.loadMore}>
            Show more
          </Button>
        )}
      </ScrollArea>
    </Stack>
  );
}

/** Where one is, each folder above a way back. */
function Way({ folder, go }: { folder: string; go: (folder: string) => void }) {
  const parts = folder.split("/").filter(Boolean);
  const above = parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
  return (
    <Breadcrumbs separatorMargin={4}>
      {["/", ...above].map((path) => (
        <Button key={path} size="compact-xs" variant="subtle" onClick={() => go(path)}>
          {path === "/" ? "/" : path.slice(path.lastIndexOf("/") + 1)}
        </Button>
      ))}
    </Breadcrumbs>
  );
}

interface EntryProps {
  file: File;
  path: string;
  chosen: string[];
  toggle: (path: string) => void;
  go: (folder: string) => void;
}

function Entry({ file, path, chosen, toggle, go }: EntryProps) {
  const within = chosen.some((one) => one !== path && path.startsWith(one === "/" ? "/" : `${one}/`));
  const isFolder = file.type === "dir";
  const Picture = isFolder ? IconFolder : IconFile;
  const name = (
    <>
      <Picture size={17} stroke={1.6} aria-hidden style={{ flex: "none" }} />
      <span className="cell">{file.name}</span>
    </>
  );
  return (
    <div className="tree-row" style={{ paddingLeft: 12 }}>
      <Checkbox
        size="xs"
        aria-label={`Choose ${path}`}
        checked={within || chosen.includes(path)}
        disabled={within}
        onChange={() => toggle(path)}
      />
      {isFolder ? (
        <UnstyledButton className="tree-name" aria-label={`Open ${path}`} onClick={() => go(path)}>
          {name}
        </UnstyledButton>
      ) : (
        <span className="tree-name">{name}</span>
      )}
      <span className="tree-size">{file.type === "file" ? bytes(file.size_bytes) : ""}</span>
    </div>
  );
}

function below(folder: string, name: string): string {
  return `${folder === "/" ? "" : folder}/${name}`;
}
