// The user's own settings, and for admins those of the account.
import { Tabs } from "@mantine/core";
import { useMay } from "../../api/me";
import { PageHeader } from "../../components/PageHeader";
import { ApiKeys } from "./ApiKeys";
import { Profile } from "./Profile";
import { Quotas } from "./Quotas";
import { Sessions } from "./Sessions";
import { Users } from "./Users";

export default function Settings() {
  const isAdmin = useMay("admin");
  return (
    <>
      <PageHeader title="Settings" />
      <Tabs defaultValue="profile" keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="profile">Profile</Tabs.Tab>
          <Tabs.Tab value="api-keys">API keys</Tabs.Tab>
          <Tabs.Tab value="sessions">Sessions</Tabs.Tab>
          {isAdmin && <Tabs.Tab value="users">Users</Tabs.Tab>}
          <Tabs.Tab value="quotas">Quotas</Tabs.Tab>
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
        <Tabs.Panel value="quotas">
          <Quotas />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
