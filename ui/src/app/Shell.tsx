// The frame of every page.
import { ActionIcon, Alert, AppShell, Burger, Button, Group, Kbd, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlugConnectedX, IconSearch } from "@tabler/icons-react";
import { Link, Outlet } from "@tanstack/react-router";
import { CommandPalette } from "./CommandPalette";
import { Mark } from "./Mark";
import { Navigation } from "./Navigation";
import { UserMenu } from "./UserMenu";
import { useKeys } from "./useKeys";
import { useLive } from "./useLive";

export function Shell() {
  const [menu, { toggle, close }] = useDisclosure(false);
  const [palette, { open: openPalette, close: closePalette }] = useDisclosure(false);
  const up = useLive();
  useKeys(openPalette);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 216, breakpoint: "sm", collapsed: { mobile: !menu } }}
      padding="md"
    >
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={menu} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
            <Link
              to="/"
              aria-label="Roadstead, to the overview"
              style={{ textDecoration: "none", color: "inherit" }}
            >
              <Group gap={8} wrap="nowrap">
                <Mark />
                <Text fw={700} visibleFrom="xs">
                  Roadstead
                </Text>
              </Group>
            </Link>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Button
              variant="default"
              color="gray"
              visibleFrom="sm"
              onClick={openPalette}
              leftSection={<IconSearch size={15} />}
              rightSection={<Kbd size="xs">Ctrl K</Kbd>}
            >
              Go to
            </Button>
            <ActionIcon variant="default" hiddenFrom="sm" size="lg" onClick={openPalette} aria-label="Go to">
              <IconSearch size={16} />
            </ActionIcon>
            <UserMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar>
        <Navigation onGo={close} />
      </AppShell.Navbar>
      <AppShell.Main className="shell-main">
        <div className="page">
          {!up && (
            <Alert color="yellow" icon={<IconPlugConnectedX />} mb="md" role="status">
              The line to the server is down. What you see may be old; it comes up to date by itself.
            </Alert>
          )}
          <Outlet />
        </div>
      </AppShell.Main>
      <CommandPalette opened={palette} onClose={closePalette} />
    </AppShell>
  );
}
