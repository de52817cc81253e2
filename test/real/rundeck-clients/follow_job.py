"""Follows one job of a Rundeck with python-rundeck: lists, runs, reads state and output, aborts. Prints JSON."""

import json
import sys
import time

from rundeck import Rundeck

url, token, project = sys.argv[1:4]
options = json.loads(sys.argv[4])
rd = Rundeck(url, token, api_version=58, timeout=10)


def follow(execution):
    """Reads output from where the last answer ended, until Rundeck says that there is no more."""
    lines, offset = [], 0
    for _ in range(200):
        output = execution.get_output(offset=offset)
        lines += [entry["log"] for entry in output["entries"]]
        offset = int(output["offset"])
        if output["completed"] and output["execCompleted"]:
            execution.refresh()
            return lines
        time.sleep(0.05)
    raise SystemExit("the execution never ended")


jobs = rd.jobs.list(project)
job = next(each for each in jobs if each.name == "restart-service")
first = job.run(as_execution=True, options=options, filter="name: web-01")
began = first.status
lines = follow(first)
second = job.run(as_execution=True, options={**options, "service_name": "hanging"}, filter="name: web-01")
running = [each.id for each in rd.executions.running(project)]
aborted = second.abort()
follow(second)
webhook = rd.projects.get(project).webhooks.list()[1]
third = rd.webhooks.send(webhook.authToken, json=json.loads(sys.argv[5]))
try:
    job.run(options={**options, "service_name": "-h"}, filter="name: web-01")
    refused = None
except Exception as error:  # its own classes, named by the test
    refused = f"{type(error).__name__}: {error}"

print(
    json.dumps(
        {
            "jobs": sorted(f"{each.group}/{each.name}" for each in jobs),
            "began": began,
            "ended": first.status,
            "nodes": first.successfulNodes,
            "lines": lines,
            "running": [str(each) for each in running],
            "abort": aborted["abort"]["status"],
            "aborted": second.status,
            "executions": sorted(str(each.id) for each in job.executions()),
            "sent": third["executionId"],
            "refused": refused,
        }
    )
)
