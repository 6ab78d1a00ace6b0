// One backend: how it is, what can be done with it, and what it offers.
import { Alert, Button, Loader, Tabs } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { post, remove } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Backend } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { ConfirmButton } from "../../components/ConfirmButton";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import { PageHeader } from "../../components/PageHeader";
import { Section } from "../../components/Section";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { count, plural } from "../../format/bytes";
import { EditBackend } from "./EditBackend";
import { Offers } from "./Offers";

export default function BackendPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const found = useOne("backend", "/backends/{id}", { path: { id } });
  const of = found.data?.provider ?? "";
  const provider = useOne("provider", "/providers/{id}", { path: { id: of } }, of !== "");
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the backend" />;
  const backend = found.data;
  return (
    <>
      <PageHeader
        title={backend.title}
        badge={<StateBadge state={backend.enabled ? backend.state : "disabled"} />}
      >
        <Actions backend={backend} />
      </PageHeader>
      {backend.reason && (
        <Alert color="red" mb="md" title="It does not answer">
          {backend.reason}
        </Alert>
      )}
      <Section
        title="About it"
        actions={
          <ButtonLink to={`/machines?backend=${backend.id}`} variant="light" size="xs">
            Its machines
          </ButtonLink>
        }
      >
        <Facts
          facts={[
            ["Provider", provider.data?.title ?? backend.provider],
            ["Region", backend.region],
            ["Machines", count(backend.machine_count)],
            ["Refreshed", <When key="r" at={backend.refreshed_at} />],
            ["Added", <When key="c" at={backend.created_at} absolute />],
            [
              "Id",
              <span key="i" className="mono">
                {backend.id}
              </span>,
            ],
          ]}
        />
      </Section>
      {backend.enabled && (
        <Tabs defaultValue="images" keepMounted={false} className="panel" p="sm">
          <Tabs.List>
            <Tabs.Tab value="images">Images</Tabs.Tab>
            <Tabs.Tab value="sizes">Sizes</Tabs.Tab>
            <Tabs.Tab value="locations">Locations</Tabs.Tab>
            <Tabs.Tab value="networks">Networks</Tabs.Tab>
          </Tabs.List>
          {(["images", "sizes", "locations", "networks"] as const).map((kind) => (
            <Tabs.Panel value={kind} key={kind} pt="sm">
              <Offers backend={backend.id} kind={kind} />
            </Tabs.Panel>
          ))}
        </Tabs>
      )}
    </>
  );
}

function Actions({ backend }: { backend: Backend }) {
  const navigate = useNavigate();
  const where = { path: { id: backend.id } };
  const changes = ["backend", "machine"];
  const refresh = useAction(() => post("/backends/{id}/refresh", where), {
    changes,
    done: (now: Backend) => `${now.title} has ${plural(now.machine_count, "machine")}.`,
  });
  const turn = (on: boolean) => (on ? post("/backends/{id}/enable", where) : post("/backends/{id}/disable", where));
  const toggle = useAction(() => turn(!backend.enabled), {
    changes,
    done: backend.enabled ? `${backend.title} is not asked any more.` : `${backend.title} is asked again.`,
    undo: () => turn(backend.enabled),
  });
  const forget = useAction(() => remove("/backends/{id}", where), {
    changes,
    done: `${backend.title} was deleted.`,
    after: () => void navigate({ to: "/backends" }),
  });
  const mayChange = useMay("creator");
  const mayDelete = useMay("admin");
  return (
    <>
      {mayChange && backend.enabled && (
        <Button
          variant="default"
          leftSection={<IconRefresh size={16} />}
          loading={refresh.isPending}
          onClick={() => refresh.mutate()}
        >
          Refresh
        </Button>
      )}
      {mayChange && <EditBackend backend={backend} />}
      {mayChange && (
        <Button variant="default" loading={toggle.isPending} onClick={() => toggle.mutate()}>
          {backend.enabled ? "Disable" : "Enable"}
        </Button>
      )}
      {mayDelete && (
        <ConfirmButton
          title={`Delete ${backend.title}?`}
          plan={`${plural(backend.machine_count, "machine")} will no longer be listed here. The machines themselves go on, and agents, vaults and backups stay.`}
          confirm="Delete the backend"
          typed={backend.title}
          onConfirm={() => forget.mutate()}
        >
          Delete
        </ConfirmButton>
      )}
    </>
  );
}
