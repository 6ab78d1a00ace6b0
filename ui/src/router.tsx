// Which address shows which page. Pages are read when they are gone to.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import type { Role } from "./api/schema";
import { For } from "./app/For";
import { NotFound } from "./app/NotFound";
import { PageFailed } from "./app/PageFailed";
import { Shell } from "./app/Shell";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

type Pages = Parameters<typeof lazyRouteComponent>[0];

/** A page; with a role, nobody else gets to it, also not by its address. */
function page<const P extends string>(path: P, load: Pages, role?: Role) {
  const Content = lazyRouteComponent(load);
  const guarded = () => <For role={role ?? "observer"}>{<Content />}</For>;
  const component = role ? Object.assign(guarded, { preload: Content.preload }) : Content;
  return createRoute({ getParentRoute: () => root, path, component });
}

const routes = [
  page("/", () => import("./pages/overview/Overview")),
  page("/machines", () => import("./pages/machines/Machines")),
  page("/machines/create", () => import("./pages/machines/CreateMachine"), "creator"),
  page("/machines/$id", () => import("./pages/machines/MachinePage")),
  page("/machines/$id/shell", () => import("./pages/machines/ShellPage"), "admin"),
  page("/backends", () => import("./pages/backends/Backends")),
  page("/backends/add", () => import("./pages/backends/AddBackend"), "creator"),
  page("/backends/$id", () => import("./pages/backends/BackendPage")),
  page("/commands", () => import("./pages/commands/Commands"), "admin"),
  page("/commands/run", () => import("./pages/commands/RunCommand"), "admin"),
  page("/commands/$id", () => import("./pages/commands/CommandPage"), "admin"),
  page("/keys", () => import("./pages/keys/Keys")),
  page("/agents", () => import("./pages/agents/Agents")),
  page("/agents/$id", () => import("./pages/agents/AgentPage")),
  page("/configurations", () => import("./pages/configurations/Configurations")),
  page("/configurations/create", () => import("./pages/configurations/CreateConfiguration"), "creator"),
  page("/configurations/$id", () => import("./pages/configurations/ConfigurationPage")),
  page("/backups", () => import("./pages/backups/Backups")),
  page("/backups/$id", () => import("./pages/backups/BackupPage")),
  page("/backups/$id/files", () => import("./pages/backups/BackupFiles")),
  page("/backups/$id/compare", () => import("./pages/files/CompareBackups")),
  page("/find/$id", () => import("./pages/files/FindFiles")),
  page("/backups/$id/rebuild", () => import("./pages/machines/RebuildMachine"), "admin"),
  page("/checks/$id", () => import("./pages/vaults/CheckPage")),
  page("/cleanups/$id", () => import("./pages/vaults/CleanupPage")),
  page("/vault-tasks/$id", () => import("./pages/vaults/TaskPage")),
  page("/restores", () => import("./pages/restores/Restores")),
  page("/restores/$id", () => import("./pages/restores/RestorePage")),
  page("/activity", () => import("./pages/activity/ActivityPage")),
  page("/jobs/$id", () => import("./pages/activity/JobPage")),
  page("/alarms", () => import("./pages/alarms/Alarms")),
  page("/audit", () => import("./pages/activity/Audit"), "admin"),
  page("/settings", () => import("./pages/settings/Settings")),
];

export const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultPreload: "intent",
  defaultErrorComponent: PageFailed,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
