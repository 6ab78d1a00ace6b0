// Names for the ids that things refer to each other by.
import { useMemo } from "react";
import { useAll } from "./lists";

/** An agent's name by its id. */
export function useAgentNames(): (id: number) => string {
  const { data } = useAll("agent", "/agents");
  const names = useMemo(() => new Map(data?.map((agent) => [agent.id, agent.name])), [data]);
  return (id) => names.get(id) ?? `agent ${id}`;
}

/** A backend's title by its id. */
export function useBackendTitles(): (id: string) => string {
  const { data } = useAll("backend", "/backends");
  const titles = useMemo(() => new Map(data?.map((backend) => [backend.id, backend.title])), [data]);
  return (id) => titles.get(id) ?? id;
}

/** A configuration's name by its id. */
export function useConfigurationNames(): (id: number) => string {
  const { data } = useAll("backup_configuration", "/backup-configurations");
  const names = useMemo(() => new Map(data?.map((one) => [one.id, one.name])), [data]);
  return (id) => names.get(id) ?? `configuration ${id}`;
}

/** Whether a vault is sealed, so that the server cannot look into it; `undefined` until that is known. */
export function useIsSealed(id?: string): boolean | undefined {
  const { data } = useAll("vault", "/vaults");
  return data?.some((vault) => vault.id === id && vault.mode === "sealed");
}
