// All backups.
import { Group, SegmentedControl } from "@mantine/core";
import { useState } from "react";
import { PageHeader } from "../../components/PageHeader";
import { BackupTable } from "./BackupTable";

const QUERIES = { all: {}, active: { active: true }, restorable: { restorable: true } };

export default function Backups() {
  const [shown, setShown] = useState<keyof typeof QUERIES>("all");
  return (
    <>
      <PageHeader
        title="Backups"
        about="Running and past, newest first. Open one to browse its files and restore them."
      />
      <Group mb="sm">
        <SegmentedControl
          aria-label="Which backups"
          value={shown}
          onChange={(value) => setShown(value as keyof typeof QUERIES)}
          data={[
            { value: "all", label: "All" },
            { value: "active", label: "Running" },
            { value: "restorable", label: "Restorable" },
          ]}
        />
      </Group>
      <div className="panel">
        <BackupTable query={QUERIES[shown]} />
      </div>
    </>
  );
}
