// Folders and files, a folder's read when it is opened.
import { useState } from "react";
import { TreeFolder } from "./TreeFolder";

interface Props {
  backup: number;
  chosen: Set<string>;
  /** Chooses a path, or no more; absent for those who may not restore. */
  onToggle?: (path: string) => void;
}

export function FileTree({ backup, chosen, onToggle }: Props) {
  const [open, setOpen] = useState<Set<string>>(new Set());
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
