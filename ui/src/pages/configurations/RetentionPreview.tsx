// What the rules in the editor would keep and forget of the backups that are there.
import { Alert, Badge, Button, Loader, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "../../api/call";
import type { CleanupVerdict, Retention } from "../../api/schema";
import { Scrolled } from "../../components/Scrolled";
import { When } from "../../components/When";
import { plural } from "../../format/bytes";
import { words } from "../../format/words";

export function RetentionPreview({ id, rules }: { id: number; rules: Retention }) {
  const [shown, setShown] = useState(false);
  const [asked] = useDebouncedValue(rules, 300);
  const plan = useQuery({
    queryKey: ["backup", "retention-plan", id, asked],
    queryFn: () => post("/backup-configurations/{id}/retention-plan", { path: { id } }, asked),
    enabled: shown,
    placeholderData: (before) => before,
  });
  if (!shown) {
    return (
      <Button size="xs" variant="light" onClick={() => setShown(true)}>
        What would stay and go?
      </Button>
    );
  }
  if (plan.error) return <Alert color="red">{plan.error.message}</Alert>;
  if (!plan.data) return <Loader size="sm" aria-label="Reading what would stay" />;
  const { verdicts } = plan.data;
  const going = verdicts.filter((verdict) => !verdict.kept).length;
  return (
    <section aria-label="What would stay and go">
      <Text size="sm" fw={600} mb={4} aria-live="polite">
        {plural(verdicts.length - going, "backup")} would stay, {going} would go.
      </Text>
      {verdicts.length > 0 && (
        <Scrolled label="Verdicts" most={260} framed>
          {verdicts.map((verdict) => (
            <Verdict key={verdict.snapshot_id} verdict={verdict} />
          ))}
        </Scrolled>
      )}
    </section>
  );
}

function Verdict({ verdict }: { verdict: CleanupVerdict }) {
  return (
    <div className="pair" style={{ padding: "4px 12px" }}>
      <span>
        <When at={verdict.arrived_at} absolute />{" "}
        <Text span size="xs" c="dimmed">
          {verdict.reasons.map(words).join(", ").toLowerCase()}
        </Text>
      </span>
      <Badge
        variant="light"
        className="state"
        size="sm"
        radius="sm"
        tt="none"
        color={verdict.kept ? "green" : "orange"}
      >
        {verdict.kept ? "Stays" : "Goes"}
      </Badge>
    </div>
  );
}
