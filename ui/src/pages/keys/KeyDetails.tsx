// One key: its public half, and the machines that it is used for.
import { Modal, Stack, Text } from "@mantine/core";
import { useOne } from "../../api/lists";
import type { Key } from "../../api/schema";
import { CopyLine } from "../../components/CopyLine";
import { Facts } from "../../components/Facts";
import { GoTo } from "../../components/GoTo";
import { Known } from "../../components/Known";
import { plural } from "../../format/bytes";

export function KeyDetails({ item, onClose }: { item?: Key; onClose: () => void }) {
  return (
    <Modal opened={item !== undefined} onClose={onClose} title={item?.name} size="lg">
      {item && <Details item={item} />}
    </Modal>
  );
}

function Details({ item }: { item: Key }) {
  const machines = useOne("key", "/keys/{id}/machines", { path: { id: item.id }, query: { limit: 1000 } });
  return (
    <Stack>
      <Facts
        facts={[
          ["Kind", `${item.type}, ${item.bits} bits`],
          [
            "Fingerprint",
            <span key="f" className="mono">
              {item.fingerprint}
            </span>,
          ],
        ]}
      />
      <Text size="sm">For the machine's authorized_keys:</Text>
      <CopyLine label="the public key" text={item.public_key} />
      <Known of={machines} reading="its machines">
        {({ items }) => (
          <>
            <Text size="sm">Used for {plural(items.length, "machine")}</Text>
            {items.map((link) => (
              <Text size="sm" key={link.machine_id}>
                <GoTo to={`/machines/${link.machine_id}`}>{link.machine_name}</GoTo> as{" "}
                <span className="mono">{link.user}</span>
              </Text>
            ))}
          </>
        )}
      </Known>
    </Stack>
  );
}
