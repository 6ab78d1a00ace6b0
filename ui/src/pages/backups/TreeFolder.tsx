// What lies in one folder of a backup, with the folders of it that are open.
import { Button, Loader, Text } from "@mantine/core";
import { useList } from "../../api/lists";
import { Failure } from "../../components/Failure";
import { TreeEntry } from "./TreeEntry";

export interface TreeState {
  backup: number;
  open: Set<string>;
  turn: (path: string) => void;
  chosen: Set<string>;
  onToggle?: (path: string) => void;
}

interface Props extends TreeState {
  path: string;
  depth: number;
  /** Whether a folder above is chosen, and this with it. */
  within: boolean;
}

export function TreeFolder({ path, depth, within, ...tree }: Props) {
  const list = useList("file", "/backups/{id}/files", { path: { id: tree.backup }, query: { path } });
  const indent = { paddingLeft: 16 + depth * 22 };
  if (list.error) return <Failure error={list.error} retry={list.retry} />;
  if (list.isLoading) {
    return (
      <div style={{ ...indent, padding: 10 }}>
        <Loader size="xs" aria-label={`Reading ${path}`} />
      </div>
    );
  }
  return (
    <>
      {list.items.length === 0 && (
        <Text size="sm" c="dimmed" py={6} style={indent}>
          Empty
        </Text>
      )}
      {list.items.map((file) => {
        const below = `${path === "/" ? "" : path}/${file.name}`;
        const isOpen = tree.open.has(below);
        const taken = within || tree.chosen.has(below);
        return (
          <div key={below} role="none">
            <TreeEntry file={file} path={below} depth={depth} isOpen={isOpen} within={within} {...tree} />
            {isOpen && (
              <div role="group">
                <TreeFolder path={below} depth={depth + 1} within={taken} {...tree} />
              </div>
            )}
          </div>
        );
      })}
      {list.hasMore && (
        <Button
          size="xs"
          variant="subtle"
          loading={list.isFetching}
          onClick={list.loadMore}
          style={{ marginLeft: 16 + depth * 22 }}
        >
          Show more of {path}
        </Button>
      )}
    </>
  );
}
