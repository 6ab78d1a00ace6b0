// Folders and files, a folder's read when it is opened.
import { useState } from "react";
import { TreeFolder } from "./TreeFolder";

interface Props {
  backup: number;
  /** A path whose folders are open from the beginning. */
  at: string;
  chosen: Set<string>;
  /** Chooses a path, or no more; absent for those who may not restore. */
  onToggle?: (path: string) => void;
}

export function FileTree({ backup, at, chosen, onToggle }: Props) {
  const [open, setOpen] = useState(() => new Set(foldersAbove(at)));
  const turn = (path: string) => {
    const next = new Set(open);
    if (!next.delete(path)) next.add(path);
    setOpen(next);
  };
  return (
    <div role="tree" aria-label="Files" aria-multiselectable={onToggle !== undefined}>
      <TreeFolder
        backup={backup}
        path="/"
        depth={0}
        open={open}
        turn={turn}
        chosen={chosen}
        onToggle={onToggle}
        within={false}
      />
    </div>
  );
}

/** `/a/b/c` is in `/a` and `/a/b`. */
function foldersAbove(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}
