// What is wrong, and what to do about it.
import { Button, Group, Loader, SegmentedControl, Stack, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useAll, useList } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Alarm } from "../../api/schema";
import { EmptyState } from "../../components/EmptyState";
import { Failure } from "../../components/Failure";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { When } from "../../components/When";
import { words } from "../../format/words";

export default function Alarms() {
  const [shown, setShown] = useState("open");
  const list = useList("alarm", "/alarms", { query: { open: shown === "open" ? true : undefined } });
  return (
    <>
      <PageHeader title="Alarms" about="One for each condition, until it is over.">
        <SegmentedControl
          value={shown}
          onChange={setShown}
          aria-label="Which alarms"
          data={[
            { value: "open", label: "Open" },
            { value: "all", label: "All" },
          ]}
        />
      </PageHeader>
      {list.error && <Failure error={list.error} retry={list.retry} />}
      {list.isLoading && <Loader aria-label="Reading the alarms" />}
      {!list.isLoading && !list.error && list.items.length === 0 && (
        <div className="panel">
          <EmptyState
            icon={IconCircleCheck}
            title="All is well"
            hint="An alarm opens when a backup is overdue, a quota is reached, or an agent behaves oddly."
          />
        </div>
      )}
      <Stack gap="sm">
        {list.items.map((alarm) => (
          <AlarmCard key={alarm.id} alarm={alarm} />
        ))}
      </Stack>
      {list.hasMore && (
        <Button mt="md" variant="default" loading={list.isFetching} onClick={list.loadMore}>
          Show older ones
        </Button>
      )}
    </>
  );
}

/** Where the thing is shown that an alarm is about. */
function usePlace({ noun, noun_id: id }: Alarm): string | undefined {
  const vaults = useAll("vault", "/vaults", undefined, noun === "vault");
  if (noun === "backup_configuration") return `/configurations/${id}`;
  if (noun === "agent") return `/agents/${id}`;
  if (noun === "quota") return "/settings?tab=quotas";
  const owner = vaults.data?.find((vault) => vault.id === id)?.agent_id;
  return owner === undefined ? undefined : `/agents/${owner}`;
}

function AlarmCard({ alarm }: { alarm: Alarm }) {
  const mayAcknowledge = useMay("creator");
  const acknowledge = useAction(() => post("/alarms/{id}/acknowledge", { path: { id: alarm.id } }), {
    changes: ["alarm"],
    done: "Noted that you know of it.",
  });
  const place = usePlace(alarm);
  return (
    <article
      className="panel"
      style={{
        padding: 16,
        borderLeft: `4px solid var(--mantine-color-${alarm.closed_at ? "gray" : "red"}-6)`,
      }}
    >
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <Stack gap={4}>
          <Text fw={600}>{words(alarm.kind)}</Text>
          <Text size="sm">{alarm.message}</Text>
          <Text size="xs" c="dimmed" component="div">
            Since <When at={alarm.opened_at} />
            {alarm.acknowledged_by && <>, known to {alarm.acknowledged_by}</>}
            {alarm.closed_at && (
              <>
                , over <When at={alarm.closed_at} />
              </>
            )}
            {place && (
              <>
                {" · "}
                <GoTo to={place}>Go there</GoTo>
              </>
            )}
          </Text>
        </Stack>
        {mayAcknowledge && !alarm.acknowledged_at && !alarm.closed_at && (
          <Button
            size="xs"
            variant="light"
            loading={acknowledge.isPending}
            onClick={() => acknowledge.mutate()}
          >
            I know
          </Button>
        )}
      </Group>
    </article>
  );
}
