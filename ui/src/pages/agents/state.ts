// An agent's state in one word.
import type { Agent } from "../../api/schema";

export function agentState(agent: Agent): string {
  if (!agent.enabled) return "disabled";
  return agent.connected ? "connected" : "disconnected";
}
