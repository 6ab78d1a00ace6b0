# The story of Rackspace's backup library, told with the unmodified rcbu 0.19.3.
#
# Takes one argument: a JSON file with where the server is, who signs in, which agent there is, and what it backs up.
# Ends with an error at the first thing that is not as the library's users know it, and prints "the story is told" at
# its end.
import json
import os
import sys
import time

given = json.load(open(sys.argv[1]))

# The library knows one identity service by name; all else it learns from that one's catalog.
import rcbu.common.constants
rcbu.common.constants.IDENTITY_TOKEN_URL = given["identity"]

import requests
from rcbu.client import backup_configuration
from rcbu.client.client import Client
from rcbu.client.connection import Connection
from rcbu.common import exceptions, schedule


def check(what, told):
    if not told:
        raise AssertionError(what)


def refused(what, act):
    try:
        act()
    except requests.HTTPError:
        return
    raise AssertionError("not refused: " + what)


# Identity and catalog.
refused("a wrong key", lambda: Connection(given["username"], "dfw", apikey="wrong"))
by_password = Connection(given["username"], "LON", password=given["password"])
check("a token by password", len(by_password.token) == 32)
try:
    Connection(given["username"], "nowhere", apikey=given["apikey"])
    raise AssertionError("a region that there is not")
except exceptions.NoEndpointFound:
    pass
conn = Connection(given["username"], "dfw", apikey=given["apikey"])
check("the address without the tenant", conn.host == given["uri"] + "/v1.0")
check("the version", conn.api_version == "1.0" and conn.api_version_tuple == (1, 0))
check("a day", conn.expires.year >= 2020 and conn.tenant == str(conn.tenant))

# Agents.
client = Client(conn)
check("one agent", [agent.id for agent in client.agents] == [given["agent"]])
agent = next(client.agents)
check("it is asked for what the list leaves open", agent.online and agent.vault_size >= 0)
agent = client.get_agent(given["agent"])
check("its name and state", agent.name and agent.enabled and not agent.encrypted and not agent.busy)
agent.disable()
check("disabled", not client.get_agent(agent.id).enabled)
agent.enable()
check("enabled", client.get_agent(agent.id).enabled)

# Configurations.
config = backup_configuration.from_dict({
    "BackupConfigurationName": "story", "MachineAgentId": agent.id, "IsActive": True, "IsDeleted": False,
    "IsEncrypted": False, "VersionRetention": 30, "MissedBackupActionId": 2, "TimeZoneId": "Eastern Standard Time",
    "NotifyRecipients": "ops@example.org", "NotifySuccess": False, "NotifyFailure": True, "Frequency": "Manually",
    "StartTimeHour": None, "StartTimeMinute": None, "StartTimeAmPm": None, "DayOfWeekId": None, "HourInterval": None,
    "Inclusions": [], "Exclusions": [],
}, conn)
config.include([given["source"]])
config.exclude([os.path.join(given["source"], "noise-0")])
config.create()
check("a number of its own", config.id > 0)
for wanted in [schedule.weekly(5, 0, 30), schedule.daily(7, 15), schedule.hourly(6), schedule.manually()]:
    config.reschedule(wanted)
    config.update()
    config.reload()
    check("the schedule comes back", config.schedule.to_api() == wanted.to_api())
config.rename("told")
config.update_notification_settings("night@example.org", notify_on_failure=False, notify_on_success=True)
config.update()
config.reload()
check("the name", config.name == "told" and config.email == "night@example.org")
check("whom to tell", config.notify_on_success and not config.notify_on_failure)
check("the paths", config.inclusions == {given["source"]} and len(config.exclusions) == 1)
config.disable()
check("disabled", not client.get_backup_configuration(config.id).enabled)
config.enable()
check("listed", config.id in [known.id for known in client.backup_configurations])
check("listed for the agent", config.id in [known.id for known in agent.backup_configurations])

# A backup to its report.
backup = client.create_backup(config)
check("not begun", not backup.running)
backup.start()
check("begun", backup.running and backup.id > 0)
backup.wait_for_completion(poll_interval=0.2, timeout=60)
check("completed", backup.state == "Completed" and client.get_backup(backup.id).state == "Completed")
report = backup.report
report.raise_if_not_ok()
check("what it did", report.files_searched == given["files"] - 1 and report.files_stored == report.files_searched)
check("how much", report.bytes_searched > 0 and report.duration >= 0 and report.errors == [])
check("its words", (report.outcome, report.diagnostics, report.state) == ("Success", "No errors", "Completed"))
check("when", report.started <= report.ended)
check("as the client has it", client.get_backup_report(backup.id)["BackupId"] == backup.id)

# A backup that is stopped, whether in time or not.
again = client.create_backup(config)
again.start()
try:
    again.stop()
except requests.HTTPError as error:
    check("it had ended", error.response.status_code == 409)
again.wait_for_completion(poll_interval=0.2, timeout=60)
check("ended", again.state in ("Stopped", "Completed"))

# A restore.
restore = client.create_restore(backup.id, agent, given["target"], overwrite=True)
check("made", restore.overwrites and client.get_restore(restore.id).id == restore.id)
restore.start()
restore.wait_for_completion(poll_interval=0.2, timeout=60)
check("restored", restore.state == "Completed")
report = restore.report
report.raise_if_not_ok()
check("all files", report.files_restored == given["files"] - 1 and report.bytes_restored > 0)
restored = os.path.join(given["target"], given["source"].lstrip("/"))
check("but the excluded one", len(os.listdir(restored)) == given["files"] - 1)
for name in os.listdir(restored):
    here, there = os.path.join(restored, name), os.path.join(given["source"], name)
    check("the same content", open(here, "rb").read() == open(there, "rb").read())

# What went on.
check("backups", backup.id in [run.id for run in client.backup_history])
check("backups of the agent", backup.id in [run.id for run in agent.backup_history])
check("restores", restore.id in [run.id for run in agent.restore_history])
check("nothing goes on", not client.busy and not agent.busy and list(client.active) == [])
check("the newest first", [run.time for run in client.history] == sorted((run.time for run in client.history), reverse=True))

# The end.
config.delete()
check("it is deleted, and known to be", client.get_backup_configuration(config.id).deleted)
check("and listed no more", config.id not in [known.id for known in client.backup_configurations])
agent.delete()
refused("an agent that is gone", lambda: client.get_agent(given["agent"]))
check("no agent", list(client.agents) == [])
print("the story is told")
