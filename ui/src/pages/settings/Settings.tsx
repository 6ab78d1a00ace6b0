// The user's own settings, and for admins those of the account.
import { Tabs } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useMay } from "../../api/me";
import { PageHeader } from "../../components/PageHeader";
import { ApiKeys } from "./ApiKeys";
import { Channels } from "./Channels";
import { Drills } from "./Drills";
import { Mail } from "./Mail";
import { Profile } from "./Profile";
import { Quotas } from "./Quotas";
import { ServerFacts } from "./ServerFacts";
import { Sessions } from "./Sessions";
import { Users } from "./Users";

export default function Settings() {
  const isAdmin = useMay("admin");
  // The tab stands in the address, so that it can be linked to.
  const { tab } = useSearch({ strict: false }) as { tab?: string };
  const navigate = useNavigate();
  const go = (next: string | null) => void navigate({ to: "/settings", search: { tab: next } as never });
  const tabs = useRef<HTMLDivElement>(null);
  // On a phone not all tabs fit: the one that is shown comes into sight.
  useEffect(() => {
    const shown = tabs.current?.querySelector("[role=tab][data-active]");
    shown?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [tab]);
  return (
    <>
      <PageHeader title="Settings" />
      <Tabs value={tab ?? "profile"} onChange={go} keepMounted={false}>
        <Tabs.List mb="md" className="tabs-line" ref={tabs}>
          <Tabs.Tab value="profile">Profile</Tabs.Tab>
          <Tabs.Tab value="api-keys">API keys</Tabs.Tab>
          <Tabs.Tab value="sessions">Sessions</Tabs.Tab>
          {isAdmin && <Tabs.Tab value="users">Users</Tabs.Tab>}
          {isAdmin && <Tabs.Tab value="webhooks">Webhooks</Tabs.Tab>}
          {isAdmin && <Tabs.Tab value="mail">Mail</Tabs.Tab>}
          <Tabs.Tab value="quotas">Quotas</Tabs.Tab>
          <Tabs.Tab value="drills">Drills</Tabs.Tab>
          {isAdmin && <Tabs.Tab value="server">Server</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="profile">
          <Profile />
        </Tabs.Panel>
        <Tabs.Panel value="api-keys">
          <ApiKeys />
        </Tabs.Panel>
        <Tabs.Panel value="sessions">
          <Sessions />
        </Tabs.Panel>
        {isAdmin && (
          <Tabs.Panel value="users">
            <Users />
          </Tabs.Panel>
        )}
        {isAdmin && (
          <Tabs.Panel value="webhooks">
            <Channels />
          </Tabs.Panel>
        )}
        {isAdmin && (
          <Tabs.Panel value="mail">
            <Mail />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="quotas">
          <Quotas />
        </Tabs.Panel>
        <Tabs.Panel value="drills">
          <Drills />
        </Tabs.Panel>
        {isAdmin && (
          <Tabs.Panel value="server">
            <ServerFacts />
          </Tabs.Panel>
        )}
      </Tabs>
    </>
  );
}
