// A backup as a tree of files: folders open in place, files are downloaded, and what is chosen is restored.
import { Breadcrumbs, Button, Loader, Text } from "@mantine/core";
import { IconRestore } from "@tabler/icons-react";
import { useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import { Failure } from "../../components/Failure";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { plural } from "../../format/bytes";
import { RestoreWizard } from "../restores/RestoreWizard";
import { FileTree } from "./FileTree";

export default function BackupFiles() {
  const { id } = useParams({ strict: false }) as { id: string };
  // Whoever comes from a search sees the file that was found.
  const { open: at = "" } = useSearch({ strict: false }) as { open?: string };
  const found = useOne("backup", "/backups/{id}", { path: { id } });
  const mayRestore = useMay("creator");
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the backup" />;
  const backup = found.data;
  const toggle = (path: string) => {
    const next = new Set(chosen);
    if (!next.delete(path)) next.add(path);
    setChosen(next);
  };
  const way = (
    <Breadcrumbs>
      <GoTo to="/backups">Backups</GoTo>
      <GoTo to={`/backups/${id}`}>{backup.name}</GoTo>
      <Text size="sm">Files</Text>
    </Breadcrumbs>
  );
  return (
    <>
      <PageHeader title={`Files of ${backup.name}`} about={way}>
        {chosen.size > 0 && (
          <Button variant="subtle" onClick={() => setChosen(new Set())}>
            Choose none
          </Button>
        )}
        {mayRestore && (
          <RestoreWizard
            backup={backup}
            paths={[...chosen]}
            label={
              chosen.size > 0
                ? `Restore ${plural(chosen.size, "chosen entry", "chosen entries")}`
                : "Restore everything"
            }
            icon={<IconRestore size={16} />}
          />
        )}
      </PageHeader>
      <div className="panel">
        <FileTree key={id + at} backup={backup.id} at={at} chosen={chosen} onToggle={mayRestore ? toggle : undefined} />
      </div>
    </>
  );
}
