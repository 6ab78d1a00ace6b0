// How everything stands: what needs somebody first, then the rest.
import { SimpleGrid } from "@mantine/core";
import { useOne } from "../../api/lists";
import { PageHeader } from "../../components/PageHeader";
import { FirstSteps } from "./FirstSteps";
import { MachinesTile } from "./MachinesTile";
import { OldestBackups } from "./OldestBackups";
import { Storage } from "./Storage";
import { StorageOverTime } from "./StorageOverTime";
import { Tiles } from "./Tiles";
import { Timeline } from "./Timeline";
import { Troubles } from "./Troubles";
import { Unprotected } from "./Unprotected";

export default function Overview() {
  const backups = useOne("backup", "/backups", { query: { restorable: true, limit: 1 } });
  const isNew = backups.data?.items.length === 0;
  return (
    <>
      <PageHeader title="Overview" />
      {isNew && <FirstSteps />}
      <Tiles />
      <Troubles />
      <Unprotected />
      <Timeline />
      <StorageOverTime />
      <SimpleGrid cols={{ base: 1, md: 3 }} spacing="md">
        <OldestBackups />
        <MachinesTile />
        <Storage />
      </SimpleGrid>
    </>
  );
}
