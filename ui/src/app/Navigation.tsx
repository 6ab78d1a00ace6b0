// The places to go to.
import { Badge, NavLink, ScrollArea, Text } from "@mantine/core";
import { Link, useRouterState } from "@tanstack/react-router";
import { useAll } from "../api/lists";
import { useMay } from "../api/me";
import { GROUPS } from "./places";

export function Navigation({ onGo }: { onGo: () => void }) {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isAdmin = useMay("admin");
  const alarms = useAll("alarm", "/alarms", { open: true });
  const open = alarms.data?.length ?? 0;
  return (
    <ScrollArea component="nav" aria-label="Main" p="xs" type="never">
      {GROUPS.map((group) => (
        <div key={group.title} style={{ marginBottom: 10 }}>
          {group.title && (
            <Text size="xs" c="dimmed" fw={600} px="sm" pt={6} pb={4}>
              {group.title}
            </Text>
          )}
          {group.places
            .filter((place) => !place.role || isAdmin)
            .map(({ to, title, icon: Picture }) => (
              <NavLink
                key={to}
                renderRoot={(props) => <Link to={to} {...props} />}
                label={title}
                leftSection={<Picture size={18} stroke={1.7} aria-hidden />}
                active={to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`)}
                className="nav-link"
                style={{ borderRadius: "var(--mantine-radius-sm)" }}
                py={7}
                onClick={onGo}
                rightSection={
                  to === "/alarms" && open > 0 ? (
                    <Badge color="red" size="sm" circle={open < 10} aria-label={`${open} open`}>
                      {open}
                    </Badge>
                  ) : null
                }
              />
            ))}
        </div>
      ))}
    </ScrollArea>
  );
}
