// What a cleanup would keep and forget now; and, by whoever may, the cleanup itself.
import { Alert, Button, Group, Loader, Modal, Stack, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useConfigurationNames } from "../../api/names";
import type { CleanupVerdict } from "../../api/schema";
import { Scrolled } from "../../components/Scrolled";
import { When } from "../../components/When";
import { plural } from "../../format/bytes";
import { words } from "../../format/words";

export function CleanupPlan({ vaultId, mayClean }: { vaultId: string; mayClean: boolean }) {
  const navigate = useNavigate();
  const [opened, { open, close }] = useDisclosure(false);
  const where = { path: { id: vaultId } };
  const plan = useOne("cleanup", "/vaults/{id}/cleanup-plan", where, opened);
  const clean = useAction(() => post("/vaults/{id}/cleanups", where), {
    changes: ["activity", "cleanup", "vault"],
    after: (begun) => void navigate({ to: `/cleanups/${begun.id}` as "/" }),
  });
  const forgotten = plan.data?.verdicts.filter((verdict) => !verdict.kept).length ?? 0;
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>
        Cleanup plan
      </Button>
      <Modal opened={opened} onClose={close} title="What a cleanup would do now" size="xl">
        {plan.error && <Alert color="red">{plan.error.message}</Alert>}
        {plan.isFetching && <Loader aria-label="Making the plan" />}
        {plan.data && (
          <Stack>
            <Text size="sm">
              {plural(plan.data.verdicts.length - forgotten, "backup")} would stay,{" "}
              {plural(forgotten, "backup")} would go.
            </Text>
            <Verdicts verdicts={plan.data.verdicts} />
            {mayClean && (
              <Group justify="flex-end">
                <Button loading={clean.isPending} onClick={() => clean.mutate()}>
                  Clean up now
                </Button>
              </Group>
            )}
          </Stack>
        )}
      </Modal>
    </>
  );
}

function Verdicts({ verdicts }: { verdicts: CleanupVerdict[] }) {
  const name = useConfigurationNames();
  return (
    <Scrolled label="Verdicts" most="50dvh">
      <Table stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Backup</Table.Th>
            <Table.Th>Arrived</Table.Th>
            <Table.Th>Verdict</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {verdicts.map((verdict) => (
            <Table.Tr key={verdict.snapshot_id}>
              <Table.Td>
                {name(verdict.configuration_id)}, {verdict.backup_id}
              </Table.Td>
              <Table.Td>
                <When at={verdict.arrived_at} absolute />
              </Table.Td>
              <Table.Td>
                {verdict.kept ? `Stays: ${verdict.reasons.map(words).join(", ").toLowerCase()}` : "Goes"}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Scrolled>
  );
}
