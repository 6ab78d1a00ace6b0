// The places of the page, as the navigation and the command palette list them.
import {
  type Icon,
  IconAlertTriangle,
  IconArchive,
  IconCalendarTime,
  IconCloud,
  IconHistory,
  IconKey,
  IconLayoutDashboard,
  IconListDetails,
  IconPlus,
  IconRestore,
  IconServer2,
  IconSettings,
  IconShieldCheck,
  IconTerminal2,
} from "@tabler/icons-react";
import type { Role } from "../api/schema";

export interface Place {
  to: string;
  title: string;
  icon: Icon;
  /** Who may see it; everybody when absent. */
  role?: Role;
}

export const GROUPS: { title: string; places: Place[] }[] = [
  { title: "", places: [{ to: "/", title: "Overview", icon: IconLayoutDashboard }] },
  {
    title: "Fleet",
    places: [
      { to: "/machines", title: "Machines", icon: IconServer2 },
      { to: "/backends", title: "Backends", icon: IconCloud },
      { to: "/commands", title: "Run", icon: IconTerminal2, role: "admin" },
      { to: "/keys", title: "Keys", icon: IconKey },
    ],
  },
  {
    title: "Backups",
    places: [
      { to: "/agents", title: "Agents and vaults", icon: IconShieldCheck },
      { to: "/configurations", title: "Configurations", icon: IconCalendarTime },
      { to: "/backups", title: "Backups", icon: IconArchive },
      { to: "/restores", title: "Restores", icon: IconRestore },
    ],
  },
  {
    title: "Operation",
    places: [
      { to: "/activity", title: "Activity", icon: IconHistory },
      { to: "/alarms", title: "Alarms", icon: IconAlertTriangle },
      { to: "/audit", title: "Audit log", icon: IconListDetails, role: "admin" },
      { to: "/settings", title: "Settings", icon: IconSettings },
    ],
  },
];

export const PLACES: Place[] = GROUPS.flatMap((group) => group.places);

/** What can be begun from anywhere. */
export const DOINGS: Place[] = [
  { to: "/backends/add", title: "Add a backend", icon: IconPlus, role: "creator" },
  { to: "/machines/create", title: "Create machines", icon: IconPlus, role: "creator" },
  { to: "/commands/run", title: "Run a command", icon: IconTerminal2, role: "admin" },
  { to: "/configurations/create", title: "New backup configuration", icon: IconPlus, role: "creator" },
  { to: "/machines?protection=unprotected", title: "Show unprotected machines", icon: IconServer2 },
  { to: "/settings?tab=profile", title: "Change the password", icon: IconSettings },
  { to: "/settings?tab=api-keys", title: "Make an API key", icon: IconSettings },
  { to: "/settings?tab=users", title: "Add a user", icon: IconSettings, role: "admin" },
  { to: "/settings?tab=mail", title: "Mail settings", icon: IconSettings, role: "admin" },
  { to: "/settings?tab=webhooks", title: "Webhooks", icon: IconSettings, role: "admin" },
];
