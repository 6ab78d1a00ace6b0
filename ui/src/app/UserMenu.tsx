// Who is signed in, light or dark, and the way out.
import { Button, Menu, useMantineColorScheme } from "@mantine/core";
import {
  IconChevronDown,
  IconDeviceDesktop,
  IconLogout,
  IconMoon,
  IconSun,
  IconUser,
} from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useAction } from "../api/action";
import { ME } from "../api/cache";
import { remove } from "../api/call";
import { useMe } from "../api/me";

export function UserMenu() {
  const { data: me } = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const client = useQueryClient();
  const navigate = useNavigate();
  const signOut = useAction(() => remove("/sessions/current", {}), {
    changes: [],
    after: () => client.setQueryData(ME, null),
  });
  const tick = (scheme: string) => (scheme === colorScheme ? "✓" : null);
  return (
    <Menu position="bottom-end" width={210}>
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          px="xs"
          leftSection={<IconUser size={16} />}
          rightSection={<IconChevronDown size={14} />}
        >
          {me?.username}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconUser size={16} />} onClick={() => void navigate({ to: "/settings" })}>
          Profile and settings
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>Colours</Menu.Label>
        <Menu.Item
          leftSection={<IconSun size={16} />}
          rightSection={tick("light")}
          onClick={() => setColorScheme("light")}
        >
          Light
        </Menu.Item>
        <Menu.Item
          leftSection={<IconMoon size={16} />}
          rightSection={tick("dark")}
          onClick={() => setColorScheme("dark")}
        >
          Dark
        </Menu.Item>
        <Menu.Item
          leftSection={<IconDeviceDesktop size={16} />}
          rightSection={tick("auto")}
          onClick={() => setColorScheme("auto")}
        >
          As the system
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => signOut.mutate()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
