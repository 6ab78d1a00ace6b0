// What a restore would make, overwrite and leave.
import { Badge, Table, Text } from "@mantine/core";
import type { PlannedFiles, RestoreAction, RestorePlan as Plan } from "../../api/schema";
import { Scrolled } from "../../components/Scrolled";
import { bytes, plural } from "../../format/bytes";

const WORDS: Record<RestoreAction, { word: string; colour: string }> = {
  create: { word: "Is made", colour: "green" },
  overwrite: { word: "Is overwritten", colour: "orange" },
  leave: { word: "Stays as it is", colour: "gray" },
  refuse: { word: "Cannot be made", colour: "red" },
};

export function RestorePlan({ plan }: { plan: Plan }) {
  const told = (files: PlannedFiles) => `${plural(files.files, "file")}, ${bytes(files.bytes)}`;
  const all = [plan.created, plan.overwritten, plan.left, plan.refused];
  const more = all.reduce((sum, one) => sum + one.files, 0) - plan.files.length;
  return (
    <section aria-label="What it would do">
      <Text size="sm" mb="xs">
        <b>{told(plan.created)}</b> would be made, <b>{told(plan.overwritten)}</b> overwritten, {told(plan.left)} left as
        they are{plan.refused.files > 0 && `, and ${told(plan.refused)} cannot be made`}.
      </Text>
      {plan.files.length > 0 && (
        <Scrolled label="File by file" most={260} framed>
          <Table fz="xs">
            <Table.Tbody>
              {plan.files.map((file) => (
                <Table.Tr key={file.path}>
                  <Table.Td>
                    <span className="mono">{file.path}</span>
                  </Table.Td>
                  <Table.Td w={130}>
                    <Badge
                      className="state"
                      variant="light"
                      size="sm"
                      radius="sm"
                      tt="none"
                      color={WORDS[file.action].colour}
                    >
                      {WORDS[file.action].word}
                    </Badge>
                  </Table.Td>
                  <Table.Td w={80} ta="right">
                    {bytes(file.size_bytes)}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Scrolled>
      )}
      {more > 0 && (
        <Text size="xs" c="dimmed" mt={4}>
          And {plural(more, "more file")}.
        </Text>
      )}
    </section>
  );
}
