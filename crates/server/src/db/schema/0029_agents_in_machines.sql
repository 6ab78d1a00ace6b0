-- A machine's agent stands with the machine, too, so that a list of those with or without one goes along an index.
-- agent_machines says it first, and holds it while the machine is away.
ALTER TABLE machines ADD COLUMN agent_id BIGINT;
UPDATE machines SET agent_id = (SELECT j.agent_id FROM agent_machines j WHERE j.machine_id = machines.id);
CREATE INDEX machines_agent ON machines (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX machines_with_agent ON machines (account_id, number) WHERE agent_id IS NOT NULL;
CREATE INDEX machines_without_agent ON machines (account_id, number) WHERE agent_id IS NULL;
