// What can be done with machines, singly or many at once.
import { post } from "../../api/call";
import type { Machine, Role } from "../../api/schema";

export interface MachineAction {
  verb: string;
  /** What it does, for the plan. */
  effect: string;
  role: Role;
  /** Whether it cannot be undone. */
  final?: boolean;
  can: (machine: Machine) => boolean;
  act: (machine: Machine) => Promise<unknown>;
}

const of = (machine: Machine) => ({ path: { id: machine.id } });

/** Of a single machine the plan is shown first: Protect.tsx. */
export const PROTECT: MachineAction = {
  verb: "Protect",
  effect: "will get an agent over SSH, and be backed up every night from now on; Activity shows how each one goes",
  role: "admin",
  can: (machine) => !machine.agent_id && machine.state === "running",
  act: (machine) => post("/machines/{id}/protect", of(machine), { start: true }),
};

export const ACTIONS: MachineAction[] = [
  {
    verb: "Start",
    effect: "will be started",
    role: "creator",
    can: (machine) => machine.can_start,
    act: (machine) => post("/machines/{id}/start", of(machine)),
  },
  {
    verb: "Stop",
    effect: "will be stopped, in good order where the backend knows one",
    role: "creator",
    can: (machine) => machine.can_stop,
    act: (machine) => post("/machines/{id}/stop", of(machine)),
  },
  {
    verb: "Reboot",
    effect: "will be rebooted, in good order where the backend knows one",
    role: "creator",
    can: (machine) => machine.can_reboot,
    act: (machine) => post("/machines/{id}/reboot", of(machine)),
  },
  {
    verb: "Destroy",
    effect: "will be destroyed, for ever, with what is on their disks",
    role: "admin",
    final: true,
    can: (machine) => machine.can_destroy,
    act: (machine) => post("/machines/{id}/destroy", of(machine)),
  },
];
