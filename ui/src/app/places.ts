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
  IconRestore,
  IconServer2,
  IconSettings,
  IconShieldCheck,
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
