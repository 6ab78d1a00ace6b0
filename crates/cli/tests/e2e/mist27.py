# The story of Mist.io's client guide, told with the unmodified mistclient 1.2.1 (Python 2.7).
#
# Takes one argument: a JSON file with where the server is, who signs in, and what there is to log in to. Ends with an
# error at the first thing that is not as the guide has it, and prints "the story is told" at its end.
import json
import sys
import time

from mistclient import MistClient

given = json.load(open(sys.argv[1]))


def check(what, told):
    if not told:
        raise AssertionError(what)


def until(what, told):
    for _ in range(300):
        if told():
            return
        time.sleep(0.2)
    raise AssertionError("waited a minute in vain: " + what)


def machine(backend, name):
    found = [m for m in backend.update_machines().values() if m.name == name]
    return found[0] if found else None


client = MistClient(given["uri"], given["email"], given["password"])
check("fifteen providers", len(client.supported_providers) == 15)

# Keys.
private = client.generate_key()
check("a private key", private.startswith("-----BEGIN RSA PRIVATE KEY-----"))
client.add_key("generated", private)
client.add_key("host", given["host"]["key"])
check("both keys", sorted(k.id for k in client.keys()) == ["generated", "host"])
generated = client.keys(id="generated")[0]
check("the first is the default", generated.is_default)
check("its halves", generated.private == private and generated.public.startswith("ssh-rsa "))
client.keys(id="host")[0].set_default()
client.update_keys()
check("the other is the default", client.keys(id="host")[0].is_default)
client.keys(id="generated")[0].rename("renamed")
client.update_keys()
check("the new name", client.keys(search="ren")[0].id == "renamed")

# A server of one's own, over SSH.
client.add_backend("web", "bare_metal", machine_ip=given["host"]["ip"], machine_key="host",
                   machine_user=given["host"]["user"], machine_port=given["host"]["port"])
web = client.backends(name="web")[0]
check("its provider", web.provider == "bare_metal" and web.enabled)
web.rename("server")
check("renamed", client.backends(name="server")[0].id == web.id)
web.disable()
check("disabled", not client.backends(id=web.id)[0].enabled)
web.enable()
host = web.machines()[0]
check("running", host.info["state"] == "running")
probe = host.probe()
check("probed", "uptime" in probe and len(probe["loadavg"]) == 3)
host.associate_key("host", host=given["host"]["ip"], ssh_user=given["host"]["user"],
                   ssh_port=given["host"]["port"])
client.update_keys()
check("associated", client.keys(id="host")[0].info["machines"][0][1] == host.id)
host.associate_key("renamed", host=given["host"]["ip"], ssh_user=given["host"]["user"],
                   ssh_port=given["host"]["port"])
client.update_keys()
check("put there", client.keys(id="renamed")[0].info["machines"][0][1] == host.id)
host.reboot()
try:
    client.add_backend("again", "bare_metal", machine_ip=given["host"]["ip"], machine_key="host",
                       machine_user=given["host"]["user"], machine_port=given["host"]["port"])
except Exception as refusal:
    check("the same twice is a conflict", "Conflict" in str(refusal))
else:
    raise AssertionError("the same backend was added twice")

# Docker.
client.add_backend("engine", "docker", docker_host=given["docker"]["host"], docker_port=given["docker"]["port"],
                   auth_user=given["docker"]["user"], auth_password=given["docker"]["password"])
engine = client.backends(search="docker")[0]
check("containers", len(engine.machines()) == given["docker"]["containers"])
container = engine.machines()[0]
container.stop()
until("stopped", lambda: machine(engine, container.name).info["state"] == "stopped")
machine(engine, container.name).start()
until("started", lambda: machine(engine, container.name).info["state"] == "running")
check("one size", len(engine.sizes) == 1)

# A cloud, which the test has added: the library has no way to say where it is.
for title in given["clouds"]:
    cloud = client.backends(name=title)[0]
    image, size = given["clouds"][title]["image"], given["clouds"][title]["size"]
    check("images with stars", all("star" in i for i in cloud.images))
    check("sizes", size in [s["id"] for s in cloud.sizes])
    check("a search", image in [i["id"] for i in cloud.search_image(given["clouds"][title]["search"])])
    location = cloud.locations[0]["id"]
    cloud.create_machine("made", client.keys(id="renamed")[0], image, location, size)
    until("made", lambda: machine(cloud, "made") and machine(cloud, "made").info["state"] == "running")
    job = cloud.create_machine("waited", client.keys(id="renamed")[0], image, location, size,
                               fire_and_forget=False, **{"async": True})
    check("the job has ended well", job["finished_at"] and not job["error"])
    made = machine(cloud, "made")
    made.tag("blue")
    until("tagged", lambda: "blue" in machine(cloud, "made").info["tags"])
    made.stop()
    until("stopped", lambda: machine(cloud, "made").info["state"] == "stopped")
    made.start()
    until("started", lambda: machine(cloud, "made").info["state"] == "running")
    made.destroy()
    until("destroyed", lambda: machine(cloud, "made") is None
          or machine(cloud, "made").info["state"] == "terminated")

check("monitoring has names", all(m["name"] for m in host.available_metrics.values()))
check("over all backends", len(client.machines(search="web")) >= 1)
for backend in client.backends():
    backend.delete()
check("nothing is left", client.backends() == [])
for key in list(client.keys()):
    key.delete()
client.update_keys()
check("no keys", client.keys() == [])
print("the story is told")
