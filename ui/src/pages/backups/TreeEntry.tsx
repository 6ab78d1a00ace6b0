// One entry of the tree.
import { ActionIcon, Checkbox, Text, Tooltip, UnstyledButton } from "@mantine/core";
import {
  IconChevronDown,
  IconChevronRight,
  IconDownload,
  IconFile,
  IconFolder,
  IconLink,
  IconPlug,
} from "@tabler/icons-react";
import { urlOf } from "../../api/call";
import { useMay } from "../../api/me";
import type { File } from "../../api/schema";
import { When } from "../../components/When";
import { bytes } from "../../format/bytes";
import { FolderDownload } from "./FolderDownload";
import type { TreeState } from "./TreeFolder";

interface Props extends TreeState {
  file: File;
  path: string;
  depth: number;
  isOpen: boolean;
  within: boolean;
}

const PICTURES = { file: IconFile, dir: IconFolder, symlink: IconLink, special: IconPlug };

export function TreeEntry({ file, path, depth, isOpen, within, backup, turn, chosen, onToggle }: Props) {
  const mayRead = useMay("creator");
  const isFolder = file.type === "dir";
  const Picture = PICTURES[file.type];
  const Turn = isOpen ? IconChevronDown : IconChevronRight;
  const name = (
    <>
      <Picture size={17} stroke={1.6} aria-hidden style={{ flex: "none" }} />
      <span className="cell">
        {file.name}
        {file.link_target && (
          <Text span size="xs" c="dimmed">
            {" "}
            → {file.link_target}
          </Text>
        )}
      </span>
    </>
  );
  return (
    <div
      role="treeitem"
      tabIndex={-1}
      aria-level={depth + 1}
      aria-expanded={isFolder ? isOpen : undefined}
      aria-selected={within || chosen.has(path)}
      className="tree-row"
      style={{ paddingLeft: 12 + depth * 22 }}
    >
      {onToggle && (
        <Checkbox
          size="xs"
          aria-label={`Choose ${path}`}
          checked={within || chosen.has(path)}
          disabled={within}
          onChange={() => onToggle(path)}
        />
      )}
      {isFolder ? (
        <UnstyledButton
          className="tree-name"
          aria-label={`${isOpen ? "Close" : "Open"} ${path}`}
          onClick={() => turn(path)}
        >
          <Turn size={15} aria-hidden style={{ flex: "none" }} />
          {name}
        </UnstyledButton>
      ) : (
        <span className="tree-name tree-file">{name}</span>
      )}
      <span className="tree-size">{file.type === "file" ? bytes(file.size_bytes) : ""}</span>
      <span className="tree-time">
        <When at={file.modified_at} absolute />
      </span>
      <span className="tree-act">
        {mayRead && isFolder && <FolderDownload backup={backup} path={path} />}
        {mayRead && file.type === "file" && (
          <Tooltip label="Download">
            <ActionIcon
              component="a"
              href={urlOf("/backups/{id}/content", { path: { id: backup }, query: { path } })}
              download
              variant="subtle"
              aria-label={`Download ${path}`}
            >
              <IconDownload size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </span>
    </div>
  );
}
